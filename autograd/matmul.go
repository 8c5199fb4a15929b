package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// MatMul returns the matmul a·b over the last two axes, at the tape's precision. Leading axes are broadcast.
func MatMul(a, b *Var) *Var {
	if a.value.Rank() < 2 || b.value.Rank() < 2 {
		panic(&tensor.ShapeError{Op: "MatMul", Shapes: []tensor.Shape{a.Shape(), b.Shape()}, Reason: "want at least two axes"})
	}
	p := a.tape.Precision
	y := tensor.New(a.tape.dev, slices.Concat(leading(a.value, b.value), []int{a.value.Dim(-2), b.value.Dim(-1)})...)
	tensor.MatMulInto(y, a.value, b.value, false, p)
	return a.tape.result(kMatMul, y, p, nil, []*Var{left: a, right: b}...)
}

// leading returns the broadcast leading axes of a matmul. Sizes that do not fit are reported by the matmul itself.
func leading(a, b *tensor.Tensor) []int {
	s, o := a.Shape()[:a.Rank()-2], b.Shape()[:b.Rank()-2]
	if len(s) < len(o) {
		s, o = o, s
	}
	out := slices.Clone([]int(s))
	for i, d := range o {
		if at := len(s) - len(o) + i; out[at] == 1 {
			out[at] = d
		}
	}
	return out
}
