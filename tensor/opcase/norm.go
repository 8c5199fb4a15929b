package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(norms)

func norms() []Case {
	var cases []Case
	for _, s := range [][2]int{{0, 3}, {1, 1}, {3, 3}, {17, 17}, {3, 65}, {65, 192}, {2, 768}, {520, 197}} {
		m, d := s[0], s[1]
		cases = append(cases, layerNormCase(m, d, false), layerNormCase(m, d, true), l2Case(m, d+1))
	}
	return cases
}

const lnEps = 1e-6

func layerNormCase(m, d int, add bool) Case {
	name := fmt.Sprintf("LayerNorm/m=%d/d=%d", m, d)
	if add {
		name += "/gradients added"
	}
	return Case{
		Name:   name,
		Inputs: []Input{in(uniform(-2, 3), m, d), f(d), f(d)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.LayerNorm(tensor.LayerNormArgs{X: in[0], W: in[1], B: in[2], Eps: lnEps})
			return []*tensor.Tensor{a.Y, a.Mean, a.Rstd}
		},
		Reference: func(in [][]float64) [][]float64 {
			y, mean, rstd := make([]float64, m*d), make([]float64, m), make([]float64, m)
			eachRow(in[0], d, func(r int, row []float64) {
				variance := 0.0
				for _, v := range row {
					mean[r] += v / float64(d)
				}
				for _, v := range row {
					variance += (v - mean[r]) * (v - mean[r]) / float64(d)
				}
				rstd[r] = 1 / math.Sqrt(variance+lnEps)
				for i, v := range row {
					y[r*d+i] = (v-mean[r])*rstd[r]*in[1][i] + in[2][i]
				}
			})
			return [][]float64{y, mean, rstd}
		},
		Backward: func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			a := tensor.LayerNormGradArgs{
				DX: gradient(dev, add, in[0].Shape()), DW: gradient(dev, add, in[1].Shape()), DB: gradient(dev, add, in[2].Shape()),
				DY: dy, X: in[0], W: in[1], Mean: out[1], Rstd: out[2],
			}
			tensor.LayerNormGrad(a)
			return []*tensor.Tensor{taken(a.DX), taken(a.DW), taken(a.DB)}
		},
		Tolerance: 5e-6, FLOPs: float64(8 * m * d),
	}
}

func l2Case(m, d int) Case {
	const eps = 1e-12
	return Case{
		Name:   fmt.Sprintf("L2Normalize/m=%d/d=%d", m, d),
		Inputs: []Input{in(uniform(0.1, 2), m, d)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			y, norm := tensor.L2Normalize(in[0], eps)
			return []*tensor.Tensor{y, norm}
		},
		Reference: func(in [][]float64) [][]float64 {
			y, norm := make([]float64, m*d), make([]float64, m)
			eachRow(in[0], d, func(r int, row []float64) {
				norm[r] = length(row)
				for i, v := range row {
					y[r*d+i] = v / max(norm[r], eps)
				}
			})
			return [][]float64{y, norm}
		},
		Backward: func(_ *tensor.Device, _, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.L2NormalizeGrad(dy, out[0], out[1], eps))
		},
		Tolerance: 5e-6, FLOPs: float64(4 * m * d),
	}
}

// length is the 2-norm.
func length(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}
