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

// cpuBackend runs every operation on the calling goroutine and the process's worker pool, with the
// kernels of one CPU level. It keeps no state, so it may be shared by goroutines.
type cpuBackend struct {
	set *kernel.Set
	vec *kernel.VecFuncs // &set.Vec
}

func newCPU(set *kernel.Set) *Device { return NewDevice(&cpuBackend{set: set, vec: &set.Vec}) }

var cpuDevice = sync.OnceValues(func() (*Device, error) {
	set, err := kernel.Best()
	if err != nil {
		return nil, &Error{Op: "CPU", Reason: err.Error()}
	}
	return newCPU(set), nil
})

// CPU returns the device that is always there. All callers share it. It runs the fastest level of this
// processor, or the one that the environment variable BEIT_CPU names, and panics when this machine lacks
// that one (see CheckCPU).
func CPU() *Device {
	dev, err := cpuDevice()
	if err != nil {
		panic(err)
	}
	return dev
}

// CheckCPU returns the error that CPU would panic with: BEIT_CPU names a level that this machine or build lacks.
func CheckCPU() error {
	_, err := cpuDevice()
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

// CPULevel returns a new device that runs one level of CPULevels, or nil when this machine lacks it.
func CPULevel(level string) *Device {
	if s := kernel.Find(level); s != nil {
		return newCPU(s)
	}
	return nil
}

// Name is "cpu/" and the level.
func (c *cpuBackend) Name() string { return "cpu/" + c.set.Level }

// Report names the processor and how it is used.
func (c *cpuBackend) Report() string {
	cpu := cpuid.CPU
	name := strings.TrimSpace(cpu.BrandName)
	if name == "" {
		name = "unknown processor"
	}
	var caches []string
	for _, cache := range []struct {
		name  string
		bytes int
	}{{"L1", cpu.Cache.L1D}, {"L2", cpu.Cache.L2}, {"L3", cpu.Cache.L3}} {
		if cache.bytes > 0 {
			caches = append(caches, fmt.Sprintf("%s %d KiB", cache.name, cache.bytes>>10))
		}
	}
	if caches != nil {
		name += ", " + strings.Join(caches, ", ")
	}
	precision := "precision high and medium run as highest"
	if c.set.Medium() {
		precision = "precision medium multiplies in bfloat16, high runs as highest"
	}
	return fmt.Sprintf("%s\nlevel %s (of %s), %d threads\n%s",
		name, c.set.Level, strings.Join(CPULevels(), ", "), pool.Threads(), precision)
}

// Sync returns at once: CPU operations are done when they return.
func (c *cpuBackend) Sync(context.Context) error { return nil }
