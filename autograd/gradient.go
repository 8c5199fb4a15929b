package autograd

import "github.com/gobeit/gobeit/tensor"

// StopGradient returns x as a constant, like detach in PyTorch.
func StopGradient(x *Var) *Var {
	given("StopGradient", "x", x)
	x.value.Retain()
	return x.tape.Own(x.value)
}

// The input gets the gradient as if the value had not been replaced.
var straightThroughRule = newRule(rule{name: "StraightThrough", grad: func(n *node, dy *tensor.Tensor) { n.pass(n.in[only], dy) }})

// StraightThrough returns value, which the tape then owns, in place of x. x gets the gradient of the result unchanged. Both have the same
// shape.
func StraightThrough(x *Var, value *tensor.Tensor) *Var {
	t := begin("StraightThrough", "x", x)
	has("StraightThrough", "value", value)
	if !x.Shape().Equal(value.Shape()) {
		panic(&tensor.ShapeError{Op: "StraightThrough", Shapes: []tensor.Shape{x.Shape(), value.Shape()}, Reason: "shapes differ"})
	}
	return t.result(straightThroughRule, value, nil, nil, x)
}
