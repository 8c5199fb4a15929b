package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(rows)

func rows() []Case {
	var cases []Case
	for _, s := range [][3]int{{3, 0, 2}, {1, 1, 1}, {3, 17, 5}, {197, 65, 3}, {10, 520, 192}, {700, 33001, 3}} {
		cases = append(cases, gatherCase(s[0], s[1], s[2]), scatterCase(s[0], s[1], s[2]))
	}
	for _, s := range [][5]int{{0, 3, 4, 4, 2}, {1, 1, 1, 1, 1}, {2, 3, 6, 9, 3}, {1, 3, 32, 32, 4}, {2, 3, 64, 48, 16}} {
		cases = append(cases, patchifyCase(s[0], s[1], s[2], s[3], s[4]))
	}
	return cases
}

// gatherCase takes r of s rows of d elements.
func gatherCase(s, r, d int) Case {
	return Case{
		Name:   fmt.Sprintf("GatherRows/s=%d/r=%d/d=%d", s, r, d),
		Inputs: []Input{f(s, d), ints(0, s, r)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.GatherRows(in[0], in[1]))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, 0, r*d)
			for _, i := range in[1] {
				y = append(y, in[0][int(i)*d:(int(i)+1)*d]...)
			}
			return one(y)
		},
		Backward: func(dev *tensor.Device, in, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			dx := tensor.Zeros(dev, in[0].Shape()...)
			tensor.ScatterAddRows(dx, dy, in[1])
			return []*tensor.Tensor{dx, nil}
		},
		Tolerance: 2e-6,
	}
}

func scatterCase(s, r, d int) Case {
	return Case{
		Name:   fmt.Sprintf("ScatterAddRows/s=%d/r=%d/d=%d", s, r, d),
		Inputs: []Input{f(s, d), f(r, d), ints(0, s, r)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst := in[0].Clone()
			tensor.ScatterAddRows(dst, in[1], in[2])
			return one(dst)
		},
		Reference: func(in [][]float64) [][]float64 {
			y := append([]float64(nil), in[0]...)
			for i, to := range in[2] {
				for j := range d {
					y[int(to)*d+j] += in[1][i*d+j]
				}
			}
			return one(y)
		},
		Backward: func(_ *tensor.Device, in, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{dy, tensor.GatherRows(dy, in[2]), nil}
		},
		Tolerance: 5e-6, FLOPs: float64(r * d),
	}
}

func patchifyCase(b, c, h, w, p int) Case {
	return Case{
		Name:   fmt.Sprintf("Patchify/b=%d/c=%d/h=%d/w=%d/p=%d", b, c, h, w, p),
		Inputs: []Input{f(b, c, h, w)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Patchify(in[0], p))
		},
		Reference: func(in [][]float64) [][]float64 {
			y, at := make([]float64, len(in[0])), 0
			for i := range b {
				for py := range h / p {
					for px := range w / p {
						for ch := range c {
							for r := range p {
								line := ((i*c+ch)*h + py*p + r) * w
								at += copy(y[at:], in[0][line+px*p:line+px*p+p])
							}
						}
					}
				}
			}
			return one(y)
		},
		Backward: func(_ *tensor.Device, _, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Unpatchify(dy, p, h, w))
		},
		Tolerance: 1e-7,
	}
}
