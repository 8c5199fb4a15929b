package autograd_test

import (
	"fmt"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// swish returns x·sigmoid(x), a smooth ReLU. It keeps the sigmoid s for the gradient, dy·(s + y·(1−s)).
func swish(x *autograd.Var) *autograd.Var {
	var s *tensor.Tensor
	forward := func(in []*tensor.Tensor) *tensor.Tensor {
		s = x.Tape().Own(tensor.Sigmoid(in[0])).Value() // the tape releases it
		return tensor.Mul(in[0], s)
	}
	backward := func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor {
		dx := tensor.Affine(s, -1, 1)
		tensor.BinaryInto(dx, tensor.BinaryMul, dx, y)
		tensor.BinaryInto(dx, tensor.BinaryAdd, dx, s)
		tensor.BinaryInto(dx, tensor.BinaryMul, dx, dy)
		return []*tensor.Tensor{dx}
	}
	return autograd.Custom([]*autograd.Var{x}, forward, backward)
}

// An operation of one's own. Its gradient is checked by differences, and then it is used like any other.
func ExampleCustom() {
	dev := tensor.CPU()
	x := tensor.FromSlice(dev, []float32{-4, -1, 0, 1, 4}, 5)
	err := autograd.CheckGradients(dev, 1e-3, func(in []*autograd.Var) *autograd.Var { return swish(in[0]) }, x)
	fmt.Println("gradients agree with differences:", err == nil)

	tape := autograd.NewTape(dev)
	defer tape.Reset()
	leaf := tape.Leaf(x)
	y := swish(leaf).Keep()
	tape.Backward(autograd.Sum(y, 0))
	fmt.Println(y.Value())
	fmt.Println(leaf.Grad())
	// Output:
	// gradients agree with differences: true
	// [-0.07194  -0.2689        0   0.7311    3.928]
	// [-0.05266  0.07233      0.5   0.9277    1.053]
}

// A gradient that does not belong to its function is found.
func ExampleCheckGradients() {
	dev := tensor.CPU()
	square := func(in []*autograd.Var) *autograd.Var {
		return autograd.Custom(in,
			func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Mul(in[0], in[0]) },
			func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{tensor.Mul(dy, in[0])} // the factor 2 is missing
			})
	}
	err := autograd.CheckGradients(dev, 1e-3, square, tensor.FromSlice(dev, []float32{1, 3}, 2))
	fmt.Println(strings.HasPrefix(err.Error(), "input 0, element 0: gradient "))
	// Output: true
}
