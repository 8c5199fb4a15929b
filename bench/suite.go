package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// Case is a benchmark.
type Case struct {
	Name string
	// Work of one run: floating-point operations, codes looked up, images of a training step; 0 if not applicable.
	FLOPs  float64
	Codes  int
	Images int
	Slow   bool // a run takes more than a second
	// Precision of the matmuls in FLOPs.
	Precision tensor.Precision
	// Setup makes the inputs and returns the function to measure and one that frees the memory.
	Setup func(dev *tensor.Device) (run, release func())
}

// Suite returns the benchmarks: matmuls, code lookups and training steps.
func Suite() []Case { return slices.Concat(matmuls(), lookups(), steps()) }

// matmuls are the linear layers of a ViT-B for 8 images of 197 tokens, and a head of 8192 codes for 600 masked tokens.
func matmuls() []Case {
	var all []Case
	for _, p := range []struct {
		layer   string
		m, n, k int
	}{
		{"qkv", 1576, 2304, 768},
		{"proj", 1576, 768, 768},
		{"fc1", 1576, 3072, 768},
		{"fc2", 1576, 768, 3072},
		{"head", 600, 8192, 768},
	} {
		for precision := tensor.Highest; precision <= tensor.Medium; precision++ {
			all = append(all, Case{
				Name:  fmt.Sprintf("MatMul/layer=%s/m=%d/n=%d/k=%d/precision=%s", p.layer, p.m, p.n, p.k, precision),
				FLOPs: 2 * float64(p.m) * float64(p.n) * float64(p.k), Precision: precision,
				Setup: func(dev *tensor.Device) (run, release func()) {
					x, w, y := random(dev, 1, p.m, p.k), random(dev, 2, p.n, p.k), tensor.New(dev, p.m, p.n)
					return func() { tensor.MatMulInto(y, x, w.T(), false, precision) }, free(x, w, y)
				},
			})
		}
	}
	return all
}

// lookups are the code lookups for 32 and 64 images of 196 tokens in a codebook of the published size.
func lookups() []Case {
	const codes, dim = 8192, 32
	var all []Case
	for _, m := range []int{6272, 12544} {
		all = append(all, Case{
			Name:  fmt.Sprintf("NearestCode/m=%d/d=%d/k=%d", m, dim, codes),
			FLOPs: 2 * float64(m) * codes * dim, Codes: m,
			Setup: func(dev *tensor.Device) (run, release func()) {
				z, v := random(dev, 1, m, dim), random(dev, 2, codes, dim)
				return func() { tensor.NearestCode(z, v).Release() }, free(z, v)
			},
		})
	}
	return all
}

// random returns uniform random numbers in [-0.5, 0.5).
func random(dev *tensor.Device, seed uint64, shape ...int) *tensor.Tensor {
	data := make([]float32, tensor.Shape(shape).Size())
	r := tensor.NewRand(seed)
	for i := range data {
		data[i] = float32(r.Float64() - 0.5)
	}
	return tensor.FromSlice(dev, data, shape...)
}

// free returns a function that releases tensors.
func free(ts ...*tensor.Tensor) func() {
	return func() {
		for _, t := range ts {
			t.Release()
		}
	}
}

// Result is the result of a benchmark. Rates are those of the median run, 0 if not applicable.
type Result struct {
	Name    string  `json:"name"`
	Runs    int     `json:"runs"`
	Median  float64 `json:"median_s"`
	Best    float64 `json:"best_s"`
	GFLOPs  float64 `json:"gflop_per_s,omitempty"`
	OfPeak  float64 `json:"of_peak,omitempty"` // GFLOPs over the peak of as many CPU cores as there are threads
	Mcodes  float64 `json:"mcodes_per_s,omitempty"`
	Images  float64 `json:"images_per_s,omitempty"`
	Peak    int64   `json:"peak_bytes"` // peak bytes of the device's pool since the process started
	Threads int     `json:"threads"`
}

// sample is the minimal time of a sample. Short runs are repeated.
const sample = 50 * time.Millisecond

// Measure runs a benchmark once as warm-up, then takes max(times, 5) samples.
func Measure(ctx context.Context, dev *tensor.Device, c Case, times int) (Result, error) {
	run, release := c.Setup(dev)
	defer release()
	timed := func(n int) (time.Duration, error) {
		start := time.Now()
		for range n {
			run()
		}
		err := dev.Sync(ctx)
		return time.Since(start), err
	}
	if _, err := timed(1); err != nil {
		return Result{}, err
	}
	once, err := timed(1)
	if err != nil {
		return Result{}, err
	}
	n := int(max(1, sample/max(once, 1)))
	var all []float64
	for range max(times, 5) {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		d, err := timed(n)
		if err != nil {
			return Result{}, err
		}
		all = append(all, d.Seconds()/float64(n))
	}
	slices.Sort(all)
	median := all[len(all)/2]
	r := Result{
		Name: c.Name, Runs: len(all), Median: median, Best: all[0], Threads: tensor.Threads(), Peak: dev.MemStats().Peak,
		GFLOPs: c.FLOPs / median / 1e9, Mcodes: float64(c.Codes) / median / 1e6, Images: float64(c.Images) / median,
	}
	if c.FLOPs > 0 {
		if core := tensor.CoreFLOPs(dev, c.Precision); core > 0 {
			r.OfPeak = r.GFLOPs * 1e9 / (core * float64(r.Threads))
		}
	}
	return r, nil
}
