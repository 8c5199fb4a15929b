package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
	"github.com/gobeit/gobeit/tensor/vulkan"
)

// devicesCmd is "beit devices".
type devicesCmd struct {
	SelfTest bool `name:"selftest" help:"Compare every operation on every device with plain float64 arithmetic."`
	JSON     bool `name:"json" help:"Print figures as JSON."`
}

// deviceInfo is one device as the command prints it.
type deviceInfo struct {
	Flag     string       `json:"flag"` // of --device
	Name     string       `json:"name"`
	Report   string       `json:"report"`
	Vulkan   *vulkan.Info `json:"vulkan,omitempty"`
	SelfTest string       `json:"self_test,omitempty"`
}

// Run lists the CPU and the Vulkan devices.
func (c *devicesCmd) Run(a *app) error {
	if c.JSON && a.group.Size() > 1 {
		return usagef("--json prints the devices of one process: leave it, or the launcher, away")
	}
	list := []deviceInfo{{Flag: "cpu", Name: tensor.CPU().Name(), Report: tensor.CPU().Report()}}
	infos, missing := vulkan.Devices(a.ctx)
	if missing != nil && !errors.Is(missing, vulkan.ErrUnavailable) {
		return missing
	}
	for _, info := range infos {
		list = append(list, deviceInfo{Flag: fmt.Sprintf("vulkan:%d", info.Index), Name: info.Name, Report: describe(info), Vulkan: &info})
	}
	failed := 0
	for i := range list {
		ok, err := c.look(a, &list[i])
		if err != nil {
			return err
		}
		if !ok {
			failed++
		}
	}
	if c.JSON {
		why := ""
		if missing != nil {
			why = missing.Error()
		}
		if err := printJSON(a.out, struct {
			Devices []deviceInfo `json:"devices"`
			Missing string       `json:"missing,omitempty"`
		}{list, why}); err != nil {
			return err
		}
	} else if err := a.gathered(func(w io.Writer) error { return printDevices(w, list, missing) }); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d devices cannot be opened or failed the self-test", failed, len(list))
	}
	return nil
}

// printDevices prints the list, and why there are no others.
func printDevices(w io.Writer, list []deviceInfo, missing error) (err error) {
	print := func(format string, args ...any) {
		if err == nil {
			_, err = fmt.Fprintf(w, format, args...)
		}
	}
	for _, d := range list {
		print("%s: %s\n", d.Flag, d.Name)
		for line := range strings.Lines(d.Report) {
			print("    %s\n", strings.TrimSuffix(line, "\n"))
		}
		if d.SelfTest != "" {
			print("    self-test of all operations: %s\n", d.SelfTest)
		}
	}
	if missing != nil {
		print("%v\n", missing)
	}
	return err
}

// describe says what a Vulkan device is and offers.
func describe(i vulkan.Info) string {
	lines := []string{
		fmt.Sprintf("%s, driver %s, Vulkan %s", i.Kind, i.Driver, i.Vulkan),
		fmt.Sprintf("memory %d MiB; a shader sees %d MiB of a tensor, %d KiB of shared memory; workgroups of up to %d",
			i.Memory>>20, i.MaxRange>>20, i.Shared>>10, i.Invocations),
		fmt.Sprintf("subgroups of %d; 16-bit storage %s, 16-bit arithmetic %s, cooperative matrices %s", i.Subgroup, yes(i.Storage16), yes(i.Float16), yes(i.CoopMatrix)),
	}
	switch {
	case i.Unusable != "":
		lines = append(lines, "cannot be used: "+i.Unusable)
	case i.Kind == "cpu":
		lines = append(lines, "a CPU driver: used only when asked for by its number")
	}
	return strings.Join(lines, "\n")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// look opens d, notes how it multiplies, and runs the self-test if that is asked for.
func (c *devicesCmd) look(a *app, d *deviceInfo) (ok bool, err error) {
	dev := tensor.CPU()
	if d.Vulkan != nil {
		if d.Vulkan.Unusable != "" {
			if c.SelfTest {
				d.SelfTest = "not run"
			}
			return true, nil
		}
		if dev, err = vulkan.Open(a.ctx, vulkan.Options{Device: fmt.Sprint(d.Vulkan.Index)}); err != nil {
			d.Report += "\ncannot be opened: " + err.Error()
			return false, a.ctx.Err()
		}
		defer vulkan.Close(dev)
		d.Report += "\n" + strings.Join(vulkan.Variants(dev), "\n")
	}
	if !c.SelfTest {
		return true, nil
	}
	d.SelfTest, ok, err = testOperations(a, d.Flag, dev)
	return ok, err
}

// selfTestWork bounds the cases of the self-test, in floating-point operations, so that it takes seconds on a CPU driver too. Tests lower it.
var selfTestWork = 2e6

// testOperations runs the table of operations on a device, which is called name, and says what came of it.
func testOperations(a *app, name string, dev *tensor.Device) (verdict string, ok bool, err error) {
	r := newReporter(a.errOut)
	defer r.clear()
	passed := 0
	for _, one := range opcase.Cases() {
		if one.FLOPs > selfTestWork {
			continue
		}
		if err := a.ctx.Err(); err != nil {
			return "", false, err
		}
		r.live(fmt.Sprintf("%s: %s", name, one.Name))
		if err := ofDevice(func() error { return opcase.Check(dev, one) }); err != nil {
			return fmt.Sprintf("FAILED after %d cases: %v", passed, err), false, nil
		}
		passed++
	}
	return fmt.Sprintf("%d cases agree", passed), true, nil
}

// ofDevice returns the error of f, or that of the device with which f panics.
func ofDevice(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			failed, ok := p.(*tensor.Error)
			if !ok || failed.Err == nil {
				panic(p)
			}
			err = failed
		}
	}()
	return f()
}
