package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// Case is one thing to measure.
type Case struct {
	Name string
	// What one run does: floating-point operations, codes looked up, pictures trained on; 0 where that does not apply.
	FLOPs  float64
	Codes  int
	Images int
	Slow   bool // takes more than a second a run
	// Precision of the products that FLOPs counts.
	Precision tensor.Precision
	// Setup makes the inputs and returns what is measured and what gives the memory back.
	Setup func(dev *tensor.Device) (run, release func())
}

// Suite lists the cases, the small ones first.
func Suite() []Case { return slices.Concat(products(), lookups(), steps()) }

// products are the linear layers of a ViT-B at 8 pictures of 197 tokens, and the head over 8192 codes at 600 masked tokens.
func products() []Case {
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

// lookups are the tokens of 32 and 64 pictures in the published codebook.
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

// random draws uniform numbers around 0.
func random(dev *tensor.Device, seed uint64, shape ...int) *tensor.Tensor {
	data := make([]float32, tensor.Shape(shape).Size())
	r := tensor.NewRand(seed)
	for i := range data {
		data[i] = float32(r.Float64() - 0.5)
	}
	return tensor.FromSlice(dev, data, shape...)
}

func free(ts ...*tensor.Tensor) func() {
	return func() {
		for _, t := range ts {
			t.Release()
		}
	}
}

// Result is what Measure found out. Rates are those of the median run, 0 where they do not apply.
type Result struct {
	Name    string  `json:"name"`
	Runs    int     `json:"runs"`
	Median  float64 `json:"median_s"`
	Best    float64 `json:"best_s"`
	GFLOPs  float64 `json:"gflop_per_s,omitempty"`
	OfPeak  float64 `json:"of_peak,omitempty"` // GFLOPs beside what as many cores of the CPU do at most
	Mcodes  float64 `json:"mcodes_per_s,omitempty"`
	Images  float64 `json:"images_per_s,omitempty"`
	Peak    int64   `json:"peak_bytes"` // of the device's pool since the process began
	Threads int     `json:"threads"`
}

// sample is how long one timing should take at least: short runs are repeated.
const sample = 50 * time.Millisecond

// Measure runs a case once to warm up and then times it, at least 5 times, and returns the median.
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
