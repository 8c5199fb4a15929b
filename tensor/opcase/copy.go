package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(copies)

func copies() []Case {
	var cases []Case
	for _, n := range sizes {
		cases = append(cases,
			Case{
				Name: fmt.Sprintf("Fill/n=%d", n),
				Forward: func(dev *tensor.Device, _ []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Full(dev, 2.5, n))
				},
				Reference: func([][]float64) [][]float64 {
					y := make([]float64, n)
					for i := range y {
						y[i] = 2.5
					}
					return one(y)
				},
			},
			Case{
				Name:   fmt.Sprintf("Cast/n=%d", n),
				Inputs: []Input{f(n)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Cast(tensor.Cast(in[0], tensor.BFloat16), tensor.Float32))
				},
				Reference: mapped(roundBFloat16),
			},
		)
	}
	for _, c := range []struct{ shape, order []int }{
		{[]int{17}, []int{0}}, {[]int{65, 197}, []int{1, 0}}, {[]int{520, 300}, []int{1, 0}}, {[]int{2, 17, 3, 5}, []int{0, 2, 1, 3}},
		{[]int{3, 17, 65}, []int{2, 0, 1}}, {[]int{5, 4, 3, 2}, []int{3, 1, 0, 2}}, {[]int{2, 0, 3}, []int{2, 1, 0}}, {[]int{3, 65, 17}, []int{0, 2, 1}},
	} {
		cases = append(cases, permuteCase(c.shape, c.order))
	}
	for axis := range 3 {
		cases = append(cases, concatCase(axis))
	}
	return cases
}

// roundBFloat16 keeps 8 significant bits, rounding to nearest even.
func roundBFloat16(x float64) float64 {
	if x == 0 {
		return x
	}
	_, exp := math.Frexp(x)
	return math.Ldexp(math.RoundToEven(math.Ldexp(x, 8-exp)), exp-8)
}

// permuteCase copies a permuted view to a contiguous tensor, and that back into a permuted view.
func permuteCase(shape, order []int) Case {
	return Case{
		Name:   fmt.Sprintf("Copy/shape=%v/order=%v", shape, order),
		Inputs: []Input{f(shape...)},
		Forward: func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			y := in[0].Permute(order...).Clone()
			back := tensor.Full(dev, 7, shape...)
			tensor.CopyInto(back.Permute(order...), y)
			return []*tensor.Tensor{y, back}
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, len(in[0]))
			for i := range y {
				at, rest := make([]int, len(shape)), i
				for axis := len(order) - 1; axis >= 0; axis-- {
					at[order[axis]] = rest % shape[order[axis]]
					rest /= shape[order[axis]]
				}
				from := 0
				for axis, n := range shape {
					from = from*n + at[axis]
				}
				y[i] = in[0][from]
			}
			return [][]float64{y, in[0]}
		},
	}
}

// concatCase joins [2 3 4]-like tensors of 1, 3 and 0 along an axis.
func concatCase(axis int) Case {
	var inputs []Input
	for _, n := range []int{1, 3, 0, 2} {
		shape := []int{2, 3, 4}
		shape[axis] = n
		inputs = append(inputs, f(shape...))
	}
	return Case{
		Name:   fmt.Sprintf("Concat/axis=%d", axis),
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Concat(axis, in...))
		},
		Reference: func(in [][]float64) [][]float64 {
			outer := tensor.Shape{2, 3, 4}[:axis].Size()
			var y []float64
			for o := range outer {
				for _, x := range in {
					n := len(x) / outer
					y = append(y, x[o*n:(o+1)*n]...)
				}
			}
			return one(y)
		},
	}
}
