package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(pools)

func pools() []Case {
	var cases []Case
	for _, p := range []struct {
		shape []int
		w     tensor.Window
	}{
		{[]int{0, 3, 4, 4}, tensor.SquareWindow(2, 0, 0)},
		{[]int{1, 1, 1, 1}, tensor.SquareWindow(1, 1, 0)},
		{[]int{2, 3, 7, 9}, tensor.SquareWindow(2, 2, 0)},
		{[]int{2, 3, 7, 9}, tensor.SquareWindow(3, 2, 1)},
		{[]int{1, 2, 5, 8}, tensor.SquareWindow(3, 1, 1)},
		{[]int{3, 5, 6, 17}, tensor.Window{Kernel: [2]int{1, 4}, Stride: [2]int{2, 3}, Padding: [2]int{0, 2}}},
		{[]int{2, 17, 33, 30}, tensor.SquareWindow(2, 0, 0)},
	} {
		cases = append(cases, maxPoolCase("", spread, p.shape, p.w), maxPoolCase("/ties", whole, p.shape, p.w))
	}
	return cases
}

// spread are numbers of which any thousand neighbours are at least 0.001 apart, so that small changes do not move a maximum.
func spread(_ *tensor.Rand, i int) float64 { return float64(i*7919%10007)/1000 - 5 }

// maxPoolCase has no gradient by differences where there are ties.
func maxPoolCase(suffix string, g Gen, s []int, w tensor.Window) Case {
	c := Case{
		Name:   fmt.Sprintf("MaxPool/x=%v/kernel=%v/stride=%v/padding=%v%s", s, w.Kernel, w.Stride, w.Padding, suffix),
		Inputs: []Input{in(g, s...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			y, index := tensor.MaxPool(in[0], w)
			return []*tensor.Tensor{y, index}
		},
		Reference: func(in [][]float64) [][]float64 {
			var y, index []float64
			for p := range s[0] * s[1] {
				plane := in[0][p*s[2]*s[3] : (p+1)*s[2]*s[3]]
				eachWindow(s, w, func(cells []int) {
					best := cells[0]
					for _, q := range cells {
						if plane[q] > plane[best] {
							best = q
						}
					}
					y, index = append(y, plane[best]), append(index, float64(best))
				})
			}
			return [][]float64{y, index}
		},
		FLOPs: float64(s[0] * s[1] * s[2] * s[3]),
	}
	c.Backward = func(_ *tensor.Device, _, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
		return one(tensor.MaxPoolGrad(dy, out[1], s[2], s[3], w))
	}
	c.Tolerance = 1e-6
	if suffix != "" {
		c.Backward = nil
	}
	return c
}

// eachWindow calls f with the cells of each window of a plane, both in row-major order.
func eachWindow(s []int, w tensor.Window, f func(cells []int)) {
	var steps [2]int
	for a, stride := range w.Stride {
		if steps[a] = stride; stride == 0 {
			steps[a] = w.Kernel[a]
		}
	}
	for top := -w.Padding[0]; top+w.Kernel[0] <= s[2]+w.Padding[0]; top += steps[0] {
		for left := -w.Padding[1]; left+w.Kernel[1] <= s[3]+w.Padding[1]; left += steps[1] {
			var cells []int
			for r := max(top, 0); r < min(top+w.Kernel[0], s[2]); r++ {
				for q := max(left, 0); q < min(left+w.Kernel[1], s[3]); q++ {
					cells = append(cells, r*s[3]+q)
				}
			}
			f(cells)
		}
	}
}
