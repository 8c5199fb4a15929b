package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gobeit/gobeit/tensor"
)

// Case is a benchmark of a device.
type Case struct {
	// Benchmark is the name of the Go function without "Benchmark", and Params the rest of the name: key=value pairs, separated by slashes.
	Benchmark, Params string

	// Work of one run: floating-point operations, vectors looked up, images of a training step; 0 if not applicable.
	FLOPs  float64
	Tokens int
	Images int

	Precision tensor.Precision // of the matmuls in FLOPs
	OnRequest bool             // takes more than a second a run on most machines, so it is left out unless asked for

	// Setup makes the inputs and returns the function to measure and one that frees the memory.
	Setup func() (run, release func())

	dev *tensor.Device
}

// Name returns the name of the benchmark without "Benchmark".
func (c Case) Name() string { return c.Benchmark + "/" + c.Params }

// Names of the benchmarks, in their order in Suite.
const (
	MatMul         = "MatMul"
	CodebookLookup = "CodebookLookup"
	Attention      = "Attention"
	Conv           = "Conv"
	TrainStep      = "TrainStep"
)

// Benchmarks lists the names of the benchmarks.
func Benchmarks() []string { return []string{MatMul, CodebookLookup, Attention, Conv, TrainStep} }

// Suite returns all cases for a device: those of Benchmarks, one after the other. No two cases run the same code on the same shapes: a
// precision that the device computes as another one has none.
func Suite(dev *tensor.Device) []Case {
	all := slices.Concat(matmuls(dev), lookups(dev), attentions(dev), convolutions(dev), trainSteps(dev))
	for i := range all {
		c := &all[i]
		kind, _, _ := strings.Cut(dev.Name(), "/")
		c.Params += fmt.Sprintf("/dev=%s/level=%s", kind, dev.Variant(c.Precision))
		c.dev = dev
	}
	return all
}

// precisions returns those at which an operation runs code of its own, Highest first.
func precisions(dev *tensor.Device, op string) []tensor.Precision {
	all := []tensor.Precision{tensor.Highest}
	for _, p := range []tensor.Precision{tensor.High, tensor.Medium} {
		if dev.Supports(op, p) {
			all = append(all, p)
		}
	}
	return all
}

// random returns uniform random numbers in [-0.5, 0.5). They repeat with a prime period, because drawing each would take longer than a matmul.
func random(dev *tensor.Device, seed uint64, shape ...int) *tensor.Tensor {
	const period = 65537
	data := make([]float32, tensor.Shape(shape).Size())
	r := tensor.NewRand(seed)
	for i := range data[:min(period, len(data))] {
		data[i] = float32(r.Float64() - 0.5)
	}
	for done := period; done < len(data); done *= 2 {
		copy(data[done:], data[:done])
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
