package autograd

import "github.com/gobeit/gobeit/tensor"

// MatMul returns the matmul a·b over the last two axes, at the tape's precision. Leading axes are broadcast.
func MatMul(a, b *Var) *Var {
	t := begin("MatMul", "a, b", a, b)
	y := tensor.New(a.value.Device(), tensor.MatMulShape(a.value, b.value)...)
	tensor.MatMulInto(y, a.value, b.value, false, t.Precision)
	return t.result(kMatMul, y, t.Precision, nil, []*Var{left: a, right: b}...)
}
