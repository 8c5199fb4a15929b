package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// ReLU is max(x, 0).
type ReLU struct{}

// Forward maps x of any shape.
func (ReLU) Forward(_ Context, x *autograd.Var) *autograd.Var { return autograd.ReLU(x) }

// LeakyReLU is x where x is positive, and Slope·x elsewhere. Slope is below 1. PyTorch's default is 0.01; zero means zero. The gradient at 0 is
// (1 + Slope)/2, that of a tie of two maxima; PyTorch's is Slope.
type LeakyReLU struct{ Slope float32 }

// Forward maps x of any shape.
func (l LeakyReLU) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.Maximum(x, autograd.Affine(x, l.Slope, 0))
}

// GELU is x·Φ(x), the exact form.
type GELU struct{}

// Forward maps x of any shape.
func (GELU) Forward(_ Context, x *autograd.Var) *autograd.Var { return autograd.GELU(x) }

// QuickGELU is x·sigmoid(1.702x), an approximation of GELU.
type QuickGELU struct{}

// Forward maps x of any shape.
func (QuickGELU) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.Unary(tensor.UnaryQuickGELU, x)
}

// SiLU is x·sigmoid(x), also known as swish.
type SiLU struct{}

// Forward maps x of any shape.
func (SiLU) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.Mul(x, autograd.Sigmoid(x))
}

// Sigmoid is 1/(1 + exp(−x)).
type Sigmoid struct{}

// Forward maps x of any shape.
func (Sigmoid) Forward(_ Context, x *autograd.Var) *autograd.Var { return autograd.Sigmoid(x) }

// Tanh is the hyperbolic tangent.
type Tanh struct{}

// Forward maps x of any shape.
func (Tanh) Forward(_ Context, x *autograd.Var) *autograd.Var { return autograd.Tanh(x) }

// Softmax normalises exp(x) over the last axis.
type Softmax struct{}

// Forward maps x [.., d].
func (Softmax) Forward(_ Context, x *autograd.Var) *autograd.Var { return autograd.Softmax(x) }

// Identity returns its input.
type Identity struct{}

// Forward returns x.
func (Identity) Forward(_ Context, x *autograd.Var) *autograd.Var { return x }

// Flatten joins all axes but the first.
type Flatten struct{}

// Forward maps x [B, ..] to [B, n]. Nothing is copied.
func (Flatten) Forward(_ Context, x *autograd.Var) *autograd.Var {
	if x.Value() == nil {
		panic(&tensor.Error{Op: "Flatten", Reason: "x is nil"})
	}
	shape := x.Shape()
	if len(shape) == 0 {
		panic(&tensor.ShapeError{Op: "Flatten", Shapes: []tensor.Shape{shape}, Reason: "want at least one axis"})
	}
	return autograd.Reshape(x, shape[0], shape[1:].Size())
}
