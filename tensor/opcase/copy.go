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
		cases = append(cases, concatCase(axis), stackCase(axis))
		for _, shape := range [][]int{{3, 17, 5}, {1, 1, 1}, {2, 0, 3}, {2, 300, 65}} {
			cases = append(cases, flipCase(shape, axis))
		}
	}
	return append(cases, padCase([]int{3, 5}, [2]int{1, 0}, [2]int{2, 3}), padCase([]int{2, 3, 17}, [2]int{}, [2]int{0, 2}, [2]int{1, 1}),
		padCase([]int{0, 2}, [2]int{1, 1}, [2]int{0, 1}))
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

// stackCase joins three tensors along a new axis.
func stackCase(axis int) Case {
	shape := []int{5, 4}
	return Case{
		Name:   fmt.Sprintf("Stack/axis=%d", axis),
		Inputs: []Input{f(shape...), f(shape...), f(shape...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.Stack(axis, in...), tensor.Stack(axis-3, in...)}
		},
		Reference: func(in [][]float64) [][]float64 {
			inner := tensor.Shape(shape[axis:]).Size()
			var y []float64
			for o := range len(in[0]) / inner {
				for _, x := range in {
					y = append(y, x[o*inner:(o+1)*inner]...)
				}
			}
			return [][]float64{y, y}
		},
	}
}

// flipCase reverses one axis, of floats and of integers.
func flipCase(shape []int, axis int) Case {
	n, inner := shape[axis], tensor.Shape(shape[axis+1:]).Size()
	flipped := func(x []float64) []float64 {
		y := make([]float64, len(x))
		for i := range y {
			at := i / inner % n
			y[i] = x[i+(n-1-2*at)*inner]
		}
		return y
	}
	return Case{
		Name:   fmt.Sprintf("Flip/shape=%v/axis=%d", shape, axis),
		Inputs: []Input{f(shape...), ints(-5, 5, shape...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.Flip(in[0], axis), tensor.Flip(in[1], axis-len(shape)), tensor.Flip(in[0], axis, axis)}
		},
		Reference: func(in [][]float64) [][]float64 { return [][]float64{flipped(in[0]), flipped(in[1]), in[0]} },
	}
}

// padCase has a border of 7.
func padCase(shape []int, pads ...[2]int) Case {
	outer := make(tensor.Shape, len(shape))
	for i, p := range pads {
		outer[i] = shape[i] + p[0] + p[1]
	}
	return Case{
		Name:   fmt.Sprintf("Pad/shape=%v/pads=%v", shape, pads),
		Inputs: []Input{f(shape...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Pad(in[0], 7, pads...))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, outer.Size())
			for i := range y {
				y[i] = 7
			}
			for i, x := range in[0] {
				to, step, rest := 0, 1, i
				for axis := len(shape) - 1; axis >= 0; axis-- {
					to += (rest%shape[axis] + pads[axis][0]) * step
					step *= outer[axis]
					rest /= shape[axis]
				}
				y[to] = x
			}
			return one(y)
		},
	}
}
