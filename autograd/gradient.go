package autograd

import "github.com/gobeit/gobeit/tensor"

// StopGradient returns x as a constant, like detach in PyTorch.
func StopGradient(x *Var) *Var {
	x.value.Retain()
	return x.tape.Own(x.value)
}

// StraightThrough returns value, which the tape then owns, in place of x. x gets the gradient of the result unchanged. Both have the same
// shape.
func StraightThrough(x *Var, value *tensor.Tensor) *Var {
	if !x.Shape().Equal(value.Shape()) {
		panic(&tensor.ShapeError{Op: "StraightThrough", Shapes: []tensor.Shape{x.Shape(), value.Shape()}, Reason: "shapes differ"})
	}
	return x.tape.result(kStraightThrough, value, nil, nil, x)
}
