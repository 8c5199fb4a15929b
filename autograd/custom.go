package autograd

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// y = forward(inputs): backward computes the gradients.
var customRule = newRule(rule{name: "Custom", grad: customGrad, readsOutput: always})

// customBackward is the function that Custom gets for its gradients.
type customBackward func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor

// Custom records an operation of the caller's own.
//
// forward gets the values of the inputs. It returns the Float32 result: a new tensor, which the tape then owns, or a view of an input.
//
// backward gets the gradient dy of the result, the values of the inputs, and the result y. It returns one Float32 gradient for each input,
// in the shape of that input, or nil for an input without one. The tape owns what backward makes, and copies views of dy, in and y.
//
// Both functions use the operations of package tensor, on the tape's device. They do not change or release their arguments. forward may run
// twice (see Checkpoint). Other tensors that backward needs are made by forward and given to Tape.Own, which keeps them until Reset.
//
// CheckGradients compares backward with forward. Custom and Backward panic where a function is nil, or where what it returns has a wrong
// number, shape, dtype or device.
func Custom(inputs []*Var, forward func(in []*tensor.Tensor) *tensor.Tensor,
	backward func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor) *Var {
	const op = "Custom"
	t := begin(op, "an input", inputs...)
	switch {
	case forward == nil:
		panic(&tensor.Error{Op: op, Reason: "forward is nil"})
	case backward == nil:
		panic(&tensor.Error{Op: op, Reason: "backward is nil"})
	}
	inputs = slices.Clone(inputs)
	in := valuesOf(inputs)
	y := forward(in)
	has(op, "the result of forward", y)
	floats(op, y)
	t.onDevice(op, "the result of forward", y)
	if sharesMemory(y, in) {
		y.Retain()
	}
	return t.result(customRule, y, customBackward(backward), nil, inputs...)
}

// customGrad is the backward rule of Custom.
func customGrad(n *node, dy *tensor.Tensor) {
	in := valuesOf(n.in)
	grads := slices.Clone(n.attr.(customBackward)(dy, in, n.out.value))
	n.mustFit(grads)
	others := append(in, dy, n.out.value)
	for i, g := range grads {
		if g == nil {
			continue
		}
		if sharesMemory(g, others) {
			grads[i] = g.Clone()
			continue
		}
		others = append(others, g)
		if !g.IsContiguous() {
			defer g.Release()
			grads[i] = g.Clone()
		}
	}
	for i, g := range grads {
		if g != nil {
			n.in[i].accept(g)
		}
	}
}

// mustFit panics when the gradients that the backward function of a Custom returned do not fit its inputs.
func (n *node) mustFit(grads []*tensor.Tensor) {
	if len(grads) != len(n.in) {
		panic(&tensor.Error{Op: "Custom", Reason: fmt.Sprintf("backward returned %d gradients for %d inputs", len(grads), len(n.in))})
	}
	for i, g := range grads {
		if g == nil {
			continue
		}
		what := fmt.Sprintf("gradient %d", i)
		floats("Custom", g)
		n.out.tape.onDevice("Custom", what, g)
		if want := n.in[i].Shape(); !g.Shape().Equal(want) {
			panic(&tensor.ShapeError{Op: "Custom", Shapes: []tensor.Shape{g.Shape(), want}, Reason: what + " and its input differ in shape"})
		}
	}
}

// onDevice panics when a tensor is on another device than the tape.
func (t *Tape) onDevice(op, name string, x *tensor.Tensor) {
	if x.Device() != t.dev {
		panic(&tensor.Error{Op: op, Reason: name + " is on another device"})
	}
}

// sharesMemory reports whether x is a view of the memory of one of others.
func sharesMemory(x *tensor.Tensor, others []*tensor.Tensor) bool {
	return slices.ContainsFunc(others, func(o *tensor.Tensor) bool { return x.SameStorage(o) })
}

// valuesOf returns the values of Vars.
func valuesOf(vars []*Var) []*tensor.Tensor {
	values := make([]*tensor.Tensor, len(vars))
	for i, v := range vars {
		values[i] = v.value
	}
	return values
}
