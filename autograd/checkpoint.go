package autograd

import "github.com/gobeit/gobeit/tensor"

// Checkpoint runs f(x) without keeping what lies between: Backward runs f again, with equal results, and differentiates it then.
// It trades one more forward pass of the segment for its memory. f may use parameters; anything else that needs a
// gradient must come through x.
func Checkpoint(x *Var, f func(x *Var) *Var) *Var {
	t := x.tape
	if t.quiet > 0 {
		return f(x)
	}
	y := t.Scope(func() *Var { return f(t.Constant(x.value)) })
	y.needs = true // parameters inside f may need a gradient even when x does not
	t.nodes = append(t.nodes, &node{kind: kCheckpoint, in: []*Var{x}, out: y, attr: f})
	return y
}

func checkpointGrad(n *node, dy *tensor.Tensor) {
	x := n.in[0]
	t := x.tape
	leaf := &Var{tape: t, value: x.value, needs: x.needs, keep: true}
	nodes, owned := len(t.nodes), len(t.owned)
	y := n.attr.(func(*Var) *Var)(leaf)
	if y.needs {
		dy.Retain()
		y.accept(dy)
		t.unwind(nodes)
	}
	for _, v := range t.owned[owned:] {
		v.release()
	}
	clear(t.owned[owned:])
	t.owned = t.owned[:owned]
	if leaf.grad != nil {
		x.accept(leaf.grad)
	}
}
