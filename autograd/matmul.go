package autograd

import "github.com/gobeit/gobeit/tensor"

// y = a·b: da = dy·bᵀ, db = aᵀ·dy
var matMulRule = newRule(rule{name: "MatMul", grad: func(n *node, dy *tensor.Tensor) {
	a, b, p := n.in[left], n.in[right], n.attr.(tensor.Precision)
	n.acceptMatMul(left, dy, b.value.T(), p)
	n.acceptMatMul(right, a.value.T(), dy, p)
}})

// MatMul returns the matmul a·b over the last two axes, at the tape's precision. Leading axes are broadcast. A vector stands for one row as a, for
// one column as b, and the result lacks that axis.
func MatMul(a, b *Var) *Var {
	t := begin("MatMul", "a, b", a, b)
	shape := tensor.MatMulShape(a.value, b.value)
	if a.value.Rank() == 1 || b.value.Rank() == 1 {
		if a.value.Rank() == 1 {
			a = Reshape(a, 1, -1)
		}
		if b.value.Rank() == 1 {
			b = Reshape(b, -1, 1)
		}
		return Reshape(MatMul(a, b), shape...)
	}
	y := tensor.New(a.value.Device(), shape...)
	tensor.MatMulInto(y, a.value, b.value, false, t.Precision)
	return t.result(matMulRule, y, t.Precision, nil, []*Var{left: a, right: b}...)
}

// acceptMatMul adds the matmul a·b, summed over broadcast leading axes, to the gradient of input i.
func (n *node) acceptMatMul(i int, a, b *tensor.Tensor, p tensor.Precision) {
	v := n.in[i]
	if !v.needs {
		return
	}
	shape := tensor.MatMulShape(a, b)
	if v.Shape().Equal(shape) {
		d := n.dest(i)
		tensor.MatMulInto(d.To, a, b, d.Add, p)
		return
	}
	g := tensor.New(v.tape.dev, shape...)
	tensor.MatMulInto(g, a, b, false, p)
	v.accept(tensor.SumTo(g, v.Shape()))
	g.Release()
}
