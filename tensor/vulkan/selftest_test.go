//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// reopen opens the first device again. change alters the device.
func reopen(t *testing.T, change func(p *physical)) (*backend, error) {
	t.Helper()
	i, err := getInstance("test", false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := i.choose(Options{Device: "0"})
	if err != nil {
		t.Fatal(err)
	}
	change(&p)
	dev, err := i.openDevice(p, Options{}, nil)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = Close(dev) })
	return dev.Backend().(*backend), nil
}

// A device is tested once for each version of its driver, whatever else stands in the file of proofs.
func TestSelfTestsRunOnce(t *testing.T) {
	openAny(t, Options{}) // or skips
	t.Setenv("BEIT_VK_CACHE", t.TempDir())
	all := proofCases
	proofCases = all[:1] // when it is tested matters here, not by what
	defer func() { proofCases = all }()
	same := func(*physical) {}
	path := ""
	ran := func(change func(p *physical)) []string {
		passedHere.Clear() // as another process, which knows nothing of this one
		b, err := reopen(t, change)
		if err != nil {
			t.Fatal(err)
		}
		path = b.proofs.path
		b.selectVariant(tensor.Medium)
		want := "before, with this driver"
		if slices.Contains(b.proofs.ran, "float32") {
			want = "float32 passed the self-test now"
		}
		if !strings.Contains(b.Report(), want) {
			t.Errorf("the report does not say %q:\n%s", want, b.Report())
		}
		works(t, b)
		return b.proofs.ran
	}
	first := ran(same)
	if len(first) == 0 || first[0] != "float32" {
		t.Errorf("the first open ran %q", first)
	}
	if again := ran(same); len(again) > 0 {
		t.Errorf("the second open ran %q", again)
	}
	if newer := ran(func(p *physical) { p.properties.DriverVersion++ }); !slices.Equal(newer, first) {
		t.Errorf("with another driver version ran %q, want %q", newer, first)
	}
	if named := ran(func(p *physical) { p.info.Driver += " beta" }); !slices.Equal(named, first) {
		t.Errorf("with another build of the driver ran %q, want %q", named, first)
	}
	for _, content := range []string{"float32", "another device\nfloat32"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := ran(same); !slices.Equal(got, first) {
			t.Errorf("with %q in the file ran %q, want %q", content, got, first)
		}
	}
	t.Setenv("BEIT_VK_CACHE", "off")
	for range 2 {
		if got := ran(same); !slices.Equal(got, first) {
			t.Errorf("without files ran %q, want %q", got, first)
		}
	}
}

// Wrong results end the open with a line that says what to do, and are not kept as if they were right.
func TestSelfTestFindsIgnoredConstants(t *testing.T) {
	t.Setenv("BEIT_VK_CACHE", t.TempDir())
	// What shaders have as sizes when MoltenVK ignores the constants: the defaults of their sources.
	drivers := map[string]func(s *shaders.Shader, spec []uint32) []uint32{
		"matmul in tiles of 64 by 64": func(s *shaders.Shader, spec []uint32) []uint32 {
			if s == shaders.Gemm && spec[1] == 64 {
				copy(spec[1:], []uint32{32, 32, 4, 4})
			}
			return spec
		},
		"Attention": func(s *shaders.Shader, spec []uint32) []uint32 {
			if s == shaders.Attention {
				spec[0] = 64
			}
			return spec
		},
	}
	for what, ignoring := range drivers {
		t.Run(strings.Fields(what)[0], func(t *testing.T) {
			for range 2 {
				b := openAny(t, Options{})
				b.ignoring = ignoring
				b.proofs.passed, b.proofs.ran = nil, nil
				passedHere.Clear()
				forgetPipelines(t, b)
				err := b.proveFloat32()
				if err == nil {
					t.Fatal("the self-test passes")
				}
				for _, want := range []string{"vulkan: open on " + b.info.Name, "self-test of float32 failed", what, "update the GPU's driver"} {
					if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "\n") {
						t.Errorf("%v: not one line with %q", err, want)
					}
				}
			}
		})
	}
	works(t, openAny(t, Options{}))
}

// A device that is lost in its self-test says so, and one without room as well; a refused shader is no wrong result.
func TestSelfTestFailures(t *testing.T) {
	tests := []struct {
		call string
		code int
		want string
	}{
		{"wait", deviceLost, "device lost"},
		{"pipeline attention", -3, "<nil>"},
		{"pipeline gemm", -3, "<nil>"},
	}
	for _, test := range tests {
		t.Run(test.call, func(t *testing.T) {
			b := openAny(t, Options{})
			b.proofs.passed = nil
			passedHere.Clear()
			forgetPipelines(t, b)
			reached := false
			b.inject = func(call string) int {
				if call != test.call {
					return 0
				}
				reached = true
				return test.code
			}
			if err := b.proveFloat32(); !strings.Contains(fmt.Sprint(err), test.want) || !reached {
				t.Errorf("%v, want %q; reached: %v", err, test.want, reached)
			}
			if _, kept := passedHere.Load(b.proofs.holder + "\n" + float32Proof); kept || len(b.proofs.passed) > 0 {
				t.Error("what was not tested is kept as passed")
			}
		})
	}
	passedHere.Clear()
	i, err := getInstance("test", false)
	if err != nil {
		t.Fatal(err)
	}
	p, err := i.choose(Options{Device: "0"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.openDevice(p, Options{MaxMemory: 8 << 10}, nil); !errors.Is(err, ErrOutOfMemory) || !strings.Contains(err.Error(), "no room for the self-test") {
		t.Errorf("with 8 KiB: %v", err)
	}
}

// A driver that refuses all shaders fails operations, not reports of the device.
func TestReportWithoutShaders(t *testing.T) {
	b := openAny(t, Options{})
	b.proofs.passed = nil
	passedHere.Clear()
	forgetPipelines(t, b)
	b.inject = func(call string) int {
		if strings.HasPrefix(call, "pipeline ") {
			return -3
		}
		return 0
	}
	if err := b.proveFloat32(); err != nil {
		t.Error(err)
	}
	for range 2 {
		report := b.Report()
		if !strings.Contains(report, "float32 passed the self-test now, but for shaders that the driver refuses\n") || b.Variant(tensor.Medium) != "float32" {
			t.Errorf("the report is\n%s", report)
		}
	}
}

// forgetPipelines makes the device build its pipelines again.
func forgetPipelines(t *testing.T, b *backend) {
	t.Helper()
	if err := b.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, p := range b.pipes.built {
		b.calls.Destroy(vk.Pipeline, p)
	}
	clear(b.pipes.built)
}
