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
	return t.result(addRule, tensor.Add(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Sub returns a − b, broadcast.
func Sub(a, b *Var) *Var {
	t := begin("Sub", "a, b", a, b)
	return t.result(subRule, tensor.Sub(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Mul returns the elementwise product a·b, broadcast.
func Mul(a, b *Var) *Var {
	t := begin("Mul", "a, b", a, b)
	return t.result(mulRule, tensor.Mul(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Affine returns scale·x + shift.
func Affine(x *Var, scale, shift float32) *Var {
	t := begin("Affine", "x", x)
	return t.result(affineRule, tensor.Affine(x.value, scale, shift), scale, nil, x)
}

// Unary returns op applied to each element of x.
func Unary(op tensor.UnaryOp, x *Var) *Var {
	t := begin("Unary", "x", x)
	return t.result(unaryRule, tensor.Unary(op, x.value), op, nil, x)
}

// GELU returns x·Φ(x), the exact form of GELU.
func GELU(x *Var) *Var {
	t := begin("GELU", "x", x)
	return t.result(unaryRule, tensor.GELU(x.value), tensor.UnaryGELU, nil, x)
}

// Tanh returns tanh(x).
func Tanh(x *Var) *Var {
	t := begin("Tanh", "x", x)
	return t.result(unaryRule, tensor.Tanh(x.value), tensor.UnaryTanh, nil, x)
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
