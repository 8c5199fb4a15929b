package autograd

import "github.com/gobeit/gobeit/tensor"

// The places of the inputs of operations on two tensors.
const left, right = 0, 1

var (
	// y = a + b
	addRule = newRule(rule{name: "Add", grad: func(n *node, dy *tensor.Tensor) {
		n.broadcastGrad(n.in[right], dy, 1)
		n.broadcastGrad(n.in[left], dy, 1)
	}})
	// y = a − b
	subRule = newRule(rule{name: "Sub", grad: func(n *node, dy *tensor.Tensor) {
		n.broadcastGrad(n.in[right], dy, -1)
		n.broadcastGrad(n.in[left], dy, 1)
	}})
	// y = a·b: da = dy·b, db = dy·a
	mulRule = newRule(rule{name: "Mul", grad: func(n *node, dy *tensor.Tensor) {
		a, b := n.in[left], n.in[right]
		a.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, b.value) })
		b.acceptSummed(func() *tensor.Tensor { return tensor.Mul(dy, a.value) })
	}})
	// y = a/b: da = dy/b, db = −dy·y/b
	divRule = newRule(rule{
		name: "Div",
		grad: func(n *node, dy *tensor.Tensor) {
			a, b, y := n.in[left], n.in[right], n.out.value
			a.acceptSummed(func() *tensor.Tensor { return tensor.Div(dy, b.value) })
			b.acceptSummed(func() *tensor.Tensor {
				g := tensor.Mul(dy, y)
				defer g.Release()
				tensor.BinaryInto(g, tensor.BinaryDiv, g, b.value)
				return tensor.Affine(g, -1, 0)
			})
		},
		readsOutput: always,
	})
	// y = max(a, b). Where both are equal, each gets half, as in PyTorch.
	maximumRule = newRule(rule{name: "Maximum", grad: func(n *node, dy *tensor.Tensor) {
		n.shareGrad(dy, n.in[left].value, n.in[right].value)
	}})
	// y = min(a, b)
	minimumRule = newRule(rule{name: "Minimum", grad: func(n *node, dy *tensor.Tensor) {
		n.shareGrad(dy, n.in[right].value, n.in[left].value)
	}})
	// y = a or b: each gets dy where it was taken
	whereRule = newRule(rule{name: "Where", grad: func(n *node, dy *tensor.Tensor) {
		cond := n.attr.(*tensor.Tensor)
		zero := constant(dy, 0)
		n.in[left].acceptSummed(func() *tensor.Tensor { return tensor.Where(cond, dy, zero) })
		n.in[right].acceptSummed(func() *tensor.Tensor { return tensor.Where(cond, zero, dy) })
		zero.Release()
	}})
	// y = x^p: dx = dy·p·x^(p−1)
	powRule = newRule(rule{name: "Pow", grad: func(n *node, dy *tensor.Tensor) {
		p := n.attr.(float32)
		if p == 0 {
			n.in[only].accept(tensor.Zeros(dy.Device(), dy.Shape()...))
			return
		}
		less := constant(dy, p-1)
		g := tensor.Pow(n.in[only].value, less)
		less.Release()
		tensor.BinaryInto(g, tensor.BinaryMul, g, dy)
		n.in[only].accept(tensor.Affine(g, p, 0))
		g.Release()
	}})
	// y = x inside the bounds, which count as inside
	clipRule = newRule(rule{name: "Clip", grad: func(n *node, dy *tensor.Tensor) {
		bounds, x := n.attr.([2]float32), n.in[only].value
		low, high := constant(x, bounds[0]), constant(x, bounds[1])
		above, below := tensor.GreaterEqual(x, low), tensor.LessEqual(x, high)
		tensor.BinaryInto(above, tensor.BinaryMul, above, below)
		n.in[only].accept(tensor.Mul(dy, above))
		for _, t := range []*tensor.Tensor{low, high, above, below} {
			t.Release()
		}
	}})
	// y = x·scale + shift
	affineRule = newRule(rule{name: "Affine", grad: func(n *node, dy *tensor.Tensor) {
		n.in[only].accept(tensor.Affine(dy, n.attr.(float32), 0))
	}})
	unaryRule = newRule(rule{
		name: "Unary",
		grad: func(n *node, dy *tensor.Tensor) {
			op := n.attr.(tensor.UnaryOp)
			x, y := n.in[only].value, n.out.value
			if needX, needY := op.Needs(); !needX {
				x = nil
			} else if !needY {
				y = nil
			}
			n.in[only].accept(tensor.UnaryGrad(op, dy, x, y))
		},
		readsOutput: func(n *node) bool {
			_, needsY := n.attr.(tensor.UnaryOp).Needs()
			return needsY
		},
	})
)

// Add returns a + b, broadcast as in NumPy.
func Add(a, b *Var) *Var {
	t := begin("Add", "a, b", a, b)
	floats("Add", a.value, b.value)
	return t.result(addRule, tensor.Add(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Sub returns a − b, broadcast.
func Sub(a, b *Var) *Var {
	t := begin("Sub", "a, b", a, b)
	floats("Sub", a.value, b.value)
	return t.result(subRule, tensor.Sub(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Mul returns the elementwise product a·b, broadcast.
func Mul(a, b *Var) *Var {
	t := begin("Mul", "a, b", a, b)
	floats("Mul", a.value, b.value)
	return t.result(mulRule, tensor.Mul(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Div returns a/b elementwise, broadcast.
func Div(a, b *Var) *Var {
	t := begin("Div", "a, b", a, b)
	return t.result(divRule, tensor.Div(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Maximum returns the larger of a and b elementwise, broadcast. Where they are equal, each gets half of the gradient.
func Maximum(a, b *Var) *Var {
	t := begin("Maximum", "a, b", a, b)
	floats("Maximum", a.value, b.value)
	return t.result(maximumRule, tensor.Maximum(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Minimum returns the smaller of a and b elementwise, broadcast. Where they are equal, each gets half of the gradient.
func Minimum(a, b *Var) *Var {
	t := begin("Minimum", "a, b", a, b)
	floats("Minimum", a.value, b.value)
	return t.result(minimumRule, tensor.Minimum(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Where returns a where cond is not 0, else b, broadcast. cond gets no gradient; comparisons of package tensor make it.
func Where(cond *tensor.Tensor, a, b *Var) *Var {
	t := begin("Where", "a, b", a, b)
	return t.result(whereRule, tensor.Where(cond, a.value, b.value), cond, nil, []*Var{left: a, right: b}...)
}

// Pow returns x to the power of p elementwise.
func Pow(x *Var, p float32) *Var {
	t := begin("Pow", "x", x)
	floats("Pow", x.value)
	exponent := constant(x.value, p)
	defer exponent.Release()
	return t.result(powRule, tensor.Pow(x.value, exponent), p, nil, x)
}

// Clip returns x, or the nearer of lo and hi where x lies outside.
func Clip(x *Var, lo, hi float32) *Var {
	t := begin("Clip", "x", x)
	return t.result(clipRule, tensor.Clip(x.value, lo, hi), [2]float32{lo, hi}, nil, x)
}

// Affine returns scale·x + shift.
func Affine(x *Var, scale, shift float32) *Var {
	t := begin("Affine", "x", x)
	return t.result(affineRule, tensor.Affine(x.value, scale, shift), scale, nil, x)
}

// Unary returns op applied to each element of x.
func Unary(op tensor.UnaryOp, x *Var) *Var {
	return unary("Unary", op, func(x *tensor.Tensor) *tensor.Tensor { return tensor.Unary(op, x) }, x)
}

// Exp returns e to the power of x.
func Exp(x *Var) *Var { return unary("Exp", tensor.UnaryExp, tensor.Exp, x) }

// Log returns the natural logarithm of x.
func Log(x *Var) *Var { return unary("Log", tensor.UnaryLog, tensor.Log, x) }

// Sqrt returns the square root of x.
func Sqrt(x *Var) *Var { return unary("Sqrt", tensor.UnarySqrt, tensor.Sqrt, x) }

// Abs returns |x|. Its gradient is 0 where x is 0.
func Abs(x *Var) *Var { return unary("Abs", tensor.UnaryAbs, tensor.Abs, x) }

// ReLU returns max(x, 0). Its gradient is 0 where x is 0.
func ReLU(x *Var) *Var { return unary("ReLU", tensor.UnaryReLU, tensor.ReLU, x) }

// Sigmoid returns 1/(1 + exp(−x)).
func Sigmoid(x *Var) *Var { return unary("Sigmoid", tensor.UnarySigmoid, tensor.Sigmoid, x) }

// GELU returns x·Φ(x), the exact form of GELU.
func GELU(x *Var) *Var { return unary("GELU", tensor.UnaryGELU, tensor.GELU, x) }

// Tanh returns tanh(x).
func Tanh(x *Var) *Var { return unary("Tanh", tensor.UnaryTanh, tensor.Tanh, x) }

// unary records f, which applies op, for a call of the function of that name.
func unary(name string, op tensor.UnaryOp, f func(x *tensor.Tensor) *tensor.Tensor, x *Var) *Var {
	t := begin(name, "x", x)
	floats(name, x.value)
	return t.result(unaryRule, f(x.value), op, nil, x)
}

// constant returns a scalar, to be broadcast with tensors of the device of x.
func constant(x *tensor.Tensor, v float32) *tensor.Tensor { return tensor.Full(x.Device(), v) }

// shareGrad gives dy to the left input where a > b, half of it where both are equal, and what remains to the right one.
func (n *node) shareGrad(dy, a, b *tensor.Tensor) {
	more, notLess := tensor.Greater(a, b), tensor.GreaterEqual(a, b)
	share := tensor.Add(more, notLess)
	more.Release()
	notLess.Release()
	for _, in := range []struct {
		v            *Var
		scale, shift float32
	}{{n.in[left], 0.5, 0}, {n.in[right], -0.5, 1}} {
		in.v.acceptSummed(func() *tensor.Tensor {
			part := tensor.Affine(share, in.scale, in.shift)
			tensor.BinaryInto(part, tensor.BinaryMul, part, dy)
			return part
		})
	}
	share.Release()
}

// broadcastGrad adds scale·dy, summed over broadcast axes, to the gradient of v.
func (n *node) broadcastGrad(v *Var, dy *tensor.Tensor, scale float32) {
	if !v.needs {
		return
	}
	if scale == 1 && v.Shape().Equal(dy.Shape()) && v == n.in[left] && n.in[left] != n.in[right] {
		n.pass(v, dy)
		return
	}
	g := tensor.Affine(dy, scale, 0)
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}

// acceptSummed is accept for a gradient of the broadcast shape. The gradient is computed only when v needs it.
func (v *Var) acceptSummed(product func() *tensor.Tensor) {
	if !v.needs {
		return
	}
	g := product()
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}
