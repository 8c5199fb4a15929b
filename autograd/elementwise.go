package autograd

import "github.com/gobeit/gobeit/tensor"

// Add returns a + b, broadcast as in NumPy.
func Add(a, b *Var) *Var {
	t := begin("Add", "a, b", a, b)
	return t.result(kAdd, tensor.Add(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Sub returns a − b, broadcast.
func Sub(a, b *Var) *Var {
	t := begin("Sub", "a, b", a, b)
	return t.result(kSub, tensor.Sub(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Mul returns the elementwise product a·b, broadcast.
func Mul(a, b *Var) *Var {
	t := begin("Mul", "a, b", a, b)
	return t.result(kMul, tensor.Mul(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Affine returns scale·x + shift.
func Affine(x *Var, scale, shift float32) *Var {
	t := begin("Affine", "x", x)
	return t.result(kAffine, tensor.Affine(x.value, scale, shift), scale, nil, x)
}

// Unary returns op applied to each element of x.
func Unary(op tensor.UnaryOp, x *Var) *Var {
	t := begin("Unary", "x", x)
	return t.result(kUnary, tensor.Unary(op, x.value), op, nil, x)
}

// GELU returns x·Φ(x), the exact form of GELU.
func GELU(x *Var) *Var {
	t := begin("GELU", "x", x)
	return t.result(kUnary, tensor.GELU(x.value), tensor.UnaryGELU, nil, x)
}

// Tanh returns tanh(x).
func Tanh(x *Var) *Var {
	t := begin("Tanh", "x", x)
	return t.result(kUnary, tensor.Tanh(x.value), tensor.UnaryTanh, nil, x)
}
