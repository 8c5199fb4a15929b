package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(optimizers)

func optimizers() []Case {
	var cases []Case
	for _, n := range sizes {
		for _, clip := range []float64{0, 0.5, 1e6} {
			cases = append(cases, gradNormCase(n, clip, uniform(-1, 1), ""))
		}
		for _, step := range []int{1, 10} {
			cases = append(cases, adamWCase(n, step, 1), sgdCase(n, step, false, 1), sgdCase(n, step, true, 1))
		}
		cases = append(cases, adamWCase(n, 3, 0), sgdCase(n, 3, true, 0))
	}
	bad := func(x float64) Gen {
		return func(r *tensor.Rand, i int) float64 {
			if i == 60 {
				return x
			}
			return r.Uniform(-1, 1)
		}
	}
	// A device that sums by pieces must not lose the bad value to a far larger one elsewhere.
	large := func(x float64) Gen {
		return func(_ *tensor.Rand, i int) float64 {
			switch i {
			case 60:
				return x
			case 50000:
				return 1e25
			}
			return 0
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(-1)} {
		name := fmt.Sprintf("/%g", x)
		cases = append(cases, gradNormCase(65, 1, bad(x), name), gradNormCase(65537, 1, large(x), name+"-and-large"))
	}
	return cases
}

func gradNormCase(n int, clip float64, g Gen, name string) Case {
	return Case{
		Name:   fmt.Sprintf("GradNorm/n=%d/max=%g%s", n, clip, name),
		Inputs: []Input{in(g, n)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.GradNorm(in[0], float32(clip)))
		},
		Reference: func(in [][]float64) [][]float64 {
			norm, factor, finite := length(in[0]), 1.0, 1.0
			if clip > 0 {
				factor = min(1, clip/(norm+1e-6))
			}
			if math.IsInf(norm, 0) || math.IsNaN(norm) {
				finite = 0
			}
			return one([]float64{norm, factor, finite})
		},
		Tolerance: 1e-6, FLOPs: float64(2 * n),
	}
}

// stateInput is GradNorm's [norm, factor, finite].
func stateInput(finite float64) Input {
	return in(func(_ *tensor.Rand, i int) float64 { return [3]float64{2, 0.5, finite}[i] }, 3)
}

func adamWCase(n, step int, finite float64) Case {
	h := tensor.AdamWHyper{LR: 1e-2, Decay: 0.05, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Step: step}
	return Case{
		Name:   fmt.Sprintf("AdamW/n=%d/step=%d/finite=%g", n, step, finite),
		Inputs: []Input{f(n), f(n), in(uniform(-0.1, 0.1), n), in(uniform(0.001, 0.01), n), stateInput(finite)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			p, m, v := in[0].Clone(), in[2].Clone(), in[3].Clone()
			tensor.AdamW(p, in[1], m, v, in[4], h)
			return []*tensor.Tensor{p, m, v}
		},
		Reference: func(in [][]float64) [][]float64 {
			if finite == 0 {
				return [][]float64{in[0], in[2], in[3]}
			}
			p, m, v := make([]float64, n), make([]float64, n), make([]float64, n)
			for i := range n {
				g := in[1][i] * in[4][1]
				m[i] = h.Beta1*in[2][i] + (1-h.Beta1)*g
				v[i] = h.Beta2*in[3][i] + (1-h.Beta2)*g*g
				mean := m[i] / (1 - math.Pow(h.Beta1, float64(step)))
				square := v[i] / (1 - math.Pow(h.Beta2, float64(step)))
				p[i] = in[0][i]*(1-h.LR*h.Decay) - h.LR*mean/(math.Sqrt(square)+h.Eps)
			}
			return [][]float64{p, m, v}
		},
		Tolerance: 2e-6, FLOPs: float64(15 * n),
	}
}

func sgdCase(n, step int, nesterov bool, finite float64) Case {
	h := tensor.SGDHyper{LR: 0.1, Decay: 1e-4, Momentum: 0.9, Nesterov: nesterov, Step: step}
	return Case{
		Name:   fmt.Sprintf("SGD/n=%d/step=%d/nesterov=%t/finite=%g", n, step, nesterov, finite),
		Inputs: []Input{f(n), f(n), f(n), stateInput(finite)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			p, buf := in[0].Clone(), in[2].Clone()
			tensor.SGD(p, in[1], buf, in[3], h)
			return []*tensor.Tensor{p, buf}
		},
		Reference: func(in [][]float64) [][]float64 {
			if finite == 0 {
				return [][]float64{in[0], in[2]}
			}
			p, buf := make([]float64, n), make([]float64, n)
			for i := range n {
				g := in[1][i]*in[3][1] + h.Decay*in[0][i]
				buf[i] = h.Momentum*in[2][i] + g
				if step == 1 {
					buf[i] = g
				}
				d := buf[i]
				if nesterov {
					d = g + h.Momentum*buf[i]
				}
				p[i] = in[0][i] - h.LR*d
			}
			return [][]float64{p, buf}
		},
		Tolerance: 2e-6, FLOPs: float64(6 * n),
	}
}
