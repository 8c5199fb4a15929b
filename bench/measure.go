package bench

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// Result is the result of a benchmark. Rates are those of the median run.
type Result struct {
	Name   string  `json:"name"`
	Runs   int     `json:"runs"`
	Median float64 `json:"median_s"`
	Best   float64 `json:"best_s"`
	Rates
	Memory  int64 `json:"peak_bytes"` // peak bytes of the device's pool since the process started
	Threads int   `json:"threads"`
}

// Rates say how fast a run was. Those that do not apply to a case are 0.
type Rates struct {
	GFLOPs float64 `json:"gflop_per_s,omitempty"`
	OfPeak float64 `json:"of_peak,omitempty"` // GFLOPs over the Peak of as many CPU cores as there are threads
	Tokens float64 `json:"tokens_per_s,omitempty"`
	Images float64 `json:"images_per_s,omitempty"`
}

// sample is the minimal time of a sample. Short runs are repeated.
const sample = 50 * time.Millisecond

// Measure runs a benchmark as warm-up, and again until that can be timed, then takes max(times, 5) samples.
func Measure(ctx context.Context, c Case, times int) (Result, error) {
	run, release := c.Setup()
	defer release()
	timed := func(n int) (time.Duration, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		start := time.Now()
		for range n {
			run()
		}
		err := c.dev.Sync(ctx)
		return time.Since(start), err
	}
	if _, err := timed(1); err != nil {
		return Result{}, err
	}
	n, err := repeats(timed)
	if err != nil {
		return Result{}, err
	}
	var all []float64
	for range max(times, 5) {
		d, err := timed(n)
		if err != nil {
			return Result{}, err
		}
		all = append(all, d.Seconds()/float64(n))
	}
	slices.Sort(all)
	median := all[len(all)/2]
	return Result{
		Name: c.Name(), Runs: len(all), Median: median, Best: all[0], Rates: c.Rates(median),
		Memory: c.dev.MemStats().Peak, Threads: tensor.Threads(),
	}, nil
}

// repeats is how many runs make a sample, by as many as a coarse clock can time.
func repeats(timed func(n int) (time.Duration, error)) (int, error) {
	for n := 1; ; n *= 2 {
		d, err := timed(n)
		if err != nil {
			return 0, err
		}
		if d >= tick {
			return max(1, int(float64(n)*float64(sample)/float64(d))), nil
		}
	}
}

// Rates returns the rates of a run that took so many seconds.
func (c Case) Rates(seconds float64) Rates {
	r := Rates{GFLOPs: c.FLOPs / seconds / 1e9, Tokens: float64(c.Tokens) / seconds, Images: float64(c.Images) / seconds}
	if c.FLOPs > 0 {
		if core := Peak(c.dev, c.Precision); core > 0 {
			r.OfPeak = r.GFLOPs * 1e9 / (core * float64(tensor.Threads()))
		}
	}
	return r
}

// peaks are the results of Peak, by device and precision.
var peaks sync.Map

// Peak returns the floating-point operations per second that one core of a device can do at a precision, as in tensor.CoreFLOPs: the best of
// several measurements, which take a quarter of a second at the first call. It returns 0 for a device that is no CPU.
func Peak(dev *tensor.Device, p tensor.Precision) float64 {
	type key struct {
		dev *tensor.Device
		p   tensor.Precision
	}
	if known, ok := peaks.Load(key{dev, p}); ok {
		return known.(float64)
	}
	best := 0.0
	for range 5 {
		best = max(best, tensor.CoreFLOPs(dev, p))
	}
	peaks.Store(key{dev, p}, best)
	return best
}

// Processor names what a device computes on, for example "AMD EPYC (family 26, model 2)" or "llvmpipe (LLVM 15.0.6, 256 bits)".
func Processor(dev *tensor.Device) string {
	kind, name, _ := strings.Cut(dev.Name(), "/")
	if kind == "cpu" {
		return tensor.Processor()
	}
	return name
}
