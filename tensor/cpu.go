package tensor

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/gobeit/gobeit/tensor/internal/kernel"
	"github.com/gobeit/gobeit/tensor/internal/pool"
	"github.com/klauspost/cpuid/v2"
)

// cpuBackend runs every operation on the calling goroutine and the worker pool of the process, with the kernels of one CPU level. It has
// no state, so goroutines may share it.
type cpuBackend struct {
	set      *kernel.Set
	vec      *kernel.VecFuncs // &set.Vec
	selfTest string           // its verdict
}

func newCPU(set *kernel.Set, selfTest string) *Device {
	return NewDevice(&cpuBackend{set: set, vec: &set.Vec, selfTest: selfTest})
}

// cpu is the device of CPU and how it was chosen.
type cpu struct {
	device *Device
	choice kernel.Choice
}

// sharedCPU tests and chooses at its first call, so that programs which never compute do not wait for it.
var sharedCPU = sync.OnceValues(func() (cpu, error) {
	choice, err := kernel.Choose()
	if err != nil {
		return cpu{}, &Error{Op: "CPU", Reason: err.Error()}
	}
	return cpu{newCPU(choice.Set, choice.String()), choice}, nil
})

// CPU returns the CPU device, which always exists. All callers share it.
//
// It runs the fastest level of this processor that passes a self-test of a few milliseconds, made once (see CPUSelfTest). The environment
// variable BEIT_CPU names another level. CPU panics when this machine lacks that level (see CheckCPU).
func CPU() *Device {
	c, err := sharedCPU()
	if err != nil {
		panic(err)
	}
	return c.device
}

// CPUSelfTest returns a one-line result of comparing the kernels of CPU's level with plain Go. When they differ, ok is false, and CPU
// runs the next level that agrees. A level named by BEIT_CPU runs in any case. CPUSelfTest panics when CPU would.
func CPUSelfTest() (verdict string, ok bool) {
	c, err := sharedCPU()
	if err != nil {
		panic(err)
	}
	return c.choice.String(), c.choice.Faults == nil
}

// CheckCPU returns the error that CPU would panic with: BEIT_CPU names a level that this machine or build lacks.
func CheckCPU() error {
	_, err := sharedCPU()
	return err
}

// CPULevels lists the CPU levels that this machine and build can run, slowest first. The first is "generic".
func CPULevels() []string {
	var names []string
	for _, s := range kernel.Levels() {
		names = append(names, s.Level)
	}
	return names
}

// CPULevel returns a new device that runs one of CPULevels, or nil when this machine lacks it.
func CPULevel(level string) *Device {
	if s := kernel.Find(level); s != nil {
		return newCPU(s, "not run: the program chose the level")
	}
	return nil
}

// Processor names the CPU of this machine, for example "AMD EPYC (family 26, model 2)". Family and model are those of x86: brands of servers and
// virtual machines say little without.
func Processor() string {
	name := strings.TrimSpace(cpuid.CPU.BrandName)
	if name == "" {
		name = "unknown processor"
	}
	if cpuid.CPU.Family > 0 {
		name += fmt.Sprintf(" (family %d, model %d)", cpuid.CPU.Family, cpuid.CPU.Model)
	}
	return name
}

// CoreFLOPs measures the peak floating-point operations per second of one core, with the multiply-add instructions that matmuls at
// precision p use. It takes some milliseconds. It returns 0 when d is not a CPU.
func CoreFLOPs(d *Device, p Precision) float64 {
	c, ok := d.backend.(*cpuBackend)
	if !ok {
		return 0
	}
	return c.set.Peak(kernel.Precision(p))
}

// Begin needs nothing: every operation is done when its method returns.
func (c *cpuBackend) Begin(string, Precision) Ops { return c }

// End does nothing.
func (c *cpuBackend) End() {}

// Name is "cpu/" and the level.
func (c *cpuBackend) Name() string { return "cpu/" + c.set.Level }

// Report names the processor and how it is used.
func (c *cpuBackend) Report() string {
	processor, name := cpuid.CPU, Processor()
	var caches []string
	for _, cache := range []struct {
		name  string
		bytes int
	}{{"L1", processor.Cache.L1D}, {"L2", processor.Cache.L2}, {"L3", processor.Cache.L3}} {
		if cache.bytes > 0 {
			caches = append(caches, fmt.Sprintf("%s %d KiB", cache.name, cache.bytes>>10))
		}
	}
	if caches != nil {
		name += ", " + strings.Join(caches, ", ")
	}
	precision := "precision high and medium run as highest"
	switch {
	case c.set.Supports(kernel.High):
		precision = "precision medium multiplies in bfloat16, high in two pieces of it"
	case c.set.Supports(kernel.Medium):
		precision = "precision medium multiplies in bfloat16, high runs as highest"
	}
	return fmt.Sprintf("%s\nlevel %s (of %s), %d threads\nself-test: %s\n%s",
		name, c.set.Level, strings.Join(CPULevels(), ", "), pool.Threads(), c.selfTest, precision)
}

// Supports is that of the level, whose matmuls all operations share.
func (c *cpuBackend) Supports(_ string, p Precision) bool { return c.set.Supports(kernel.Precision(p)) }

// Variant is the level.
func (c *cpuBackend) Variant(Precision) string { return c.set.Level }

// Sync returns at once: CPU operations are done when they return.
func (c *cpuBackend) Sync(context.Context) error { return nil }
