package autograd

import "github.com/gobeit/gobeit/tensor"

var checkpointRule = newRule(rule{name: "Checkpoint", grad: checkpointGrad})

// Checkpoint returns f(x) without keeping intermediate values (activation checkpointing). Backward runs f again and differentiates that
// run. The gradients have the same bytes as without Checkpoint.
//
// f may use parameters and earlier Vars besides x; they get their gradients. It runs twice, so it must be deterministic and have no side
// effects.
func Checkpoint(x *Var, f func(x *Var) *Var) *Var {
	t := begin("Checkpoint", "x", x)
	if t.quiet > 0 {
		return f(x)
	}
	before := len(t.owned)
	y := t.Scope(func() *Var { return f(t.Constant(x.value)) })
	if len(t.owned) == before { // the result is not f's own, so there is nothing to compute again
		return f(x)
	}
	y.needs = true // what f uses besides x may need a gradient even when x does not
	t.nodes = append(t.nodes, &node{rule: checkpointRule, in: []*Var{x}, out: y, attr: segment{f, t.Precision}})
	return y
}

// segment is the function that Checkpoint runs again, and the precision of its first run.
type segment struct {
	f         func(*Var) *Var
	precision tensor.Precision
}

// checkpointGrad is the backward rule of Checkpoint.
func checkpointGrad(n *node, dy *tensor.Tensor) {
	x, s := n.in[only], n.attr.(segment)
	t := x.tape
	now := t.Precision
	t.Precision = s.precision
	defer func() { t.Precision = now }()

	// The leaf carries on x's gradient, so that contributions are added in the order in which they would be without Checkpoint: the same bytes.
	leaf := &Var{tape: t, value: x.value, grad: x.grad, needs: x.needs, param: x.param, keep: true}
	nodes, owned := len(t.nodes), len(t.owned)
	y := s.f(leaf)
	if y.needs {
		y.accept(n.handOn(dy))
	}
	t.unwind(nodes)
	for _, v := range t.owned[owned:] {
		v.release()
	}
	clear(t.owned[owned:])
	t.owned = t.owned[:owned]
	switch {
	case x.grad == nil:
		x.grad = leaf.grad
	case leaf.grad != nil && leaf.grad != x.grad: // f used x besides its argument
		x.accept(leaf.grad)
	}
}
