package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(dropouts)

func dropouts() []Case {
	var cases []Case
	for _, n := range sizes {
		for _, rate := range []float64{0, 0.1, 0.75} {
			cases = append(cases, dropoutCase(rate, 1, n))
		}
	}
	return append(cases, dropoutCase(0.3, 6, 5, 3, 2, 3), dropoutCase(0.5, 65, 17, 65), dropoutCase(0.5, 33001, 2, 33001))
}

func dropoutCase(rate float64, inner int, s ...int) Case {
	drawn := func() *tensor.Rand { return tensor.NewRand(3, 1, 4) }
	return Case{
		Name:   fmt.Sprintf("Dropout/x=%v/rate=%v/inner=%d", s, rate, inner),
		Inputs: []Input{f(s...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Dropout(in[0], drawn(), rate, inner))
		},
		Reference: func(in [][]float64) [][]float64 {
			y, r, word := make([]float64, len(in[0])), drawn(), uint32(0)
			for i, x := range in[0] {
				if i%inner == 0 {
					word = r.Uint32()
				}
				if float64(word)/(1<<32) >= rate {
					y[i] = x / (1 - rate)
				}
			}
			return one(y)
		},
		Backward: func(_ *tensor.Device, _, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Dropout(dy, drawn(), rate, inner))
		},
		Tolerance: 1e-6, FLOPs: float64(tensor.Shape(s).Size()),
	}
}
