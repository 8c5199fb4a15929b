package autograd

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

var reshapeRule = newRule(rule{name: "Reshape", grad: func(n *node, dy *tensor.Tensor) { n.pass(n.in[only], dy) }})

// Reshape returns x with another shape of the same size. One size may be -1. Nothing is copied.
func Reshape(x *Var, shape ...int) *Var {
	t := begin("Reshape", "x", x)
	y := x.value.Reshape(shape...)
	y.Retain()
	return t.result(reshapeRule, y, nil, nil, x)
}

var permuteRule = newRule(rule{name: "Permute", grad: func(n *node, dy *tensor.Tensor) {
	order := n.attr.([]int)
	inverse := make([]int, len(order))
	for i, a := range order {
		inverse[a] = i
	}
	n.in[only].accept(dy.Permute(inverse...).Clone())
}})

// Permute returns a contiguous tensor whose axis i is axis order[i] of x.
func Permute(x *Var, order ...int) *Var {
	t := begin("Permute", "x", x)
	order = slices.Clone(order)
	for i := range order {
		if order[i] < 0 {
			order[i] += x.value.Rank()
		}
	}
	return t.result(permuteRule, x.value.Permute(order...).Clone(), order, nil, x)
}

var sliceRule = newRule(rule{name: "Slice", grad: func(n *node, dy *tensor.Tensor) {
	at := n.attr.([2]int)
	x := n.in[only]
	dx := tensor.Zeros(x.tape.dev, x.Shape()...)
	tensor.CopyInto(dx.Slice(at[0], at[1], at[1]+n.out.Shape()[at[0]]), dy)
	x.accept(dx)
}})

// Slice returns the elements lo … hi-1 along an axis, contiguous.
func Slice(x *Var, axis, lo, hi int) *Var {
	t := begin("Slice", "x", x)
	if axis < 0 {
		axis += x.value.Rank()
	}
	return t.result(sliceRule, x.value.Slice(axis, lo, hi).Clone(), [2]int{axis, lo}, nil, x)
}

var concatRule = newRule(rule{name: "Concat", grad: func(n *node, dy *tensor.Tensor) {
	axis, at := n.attr.(int), 0
	for _, v := range n.in {
		size := v.Shape()[axis]
		if v.needs {
			v.accept(dy.Slice(axis, at, at+size).Clone())
		}
		at += size
	}
}})

// Concat joins Vars along an axis.
func Concat(axis int, xs ...*Var) *Var {
	t := begin("Concat", "an input", xs...)
	values := make([]*tensor.Tensor, len(xs))
	for i, x := range xs {
		values[i] = x.value
	}
	if axis < 0 {
		axis += values[0].Rank()
	}
	return t.result(concatRule, tensor.Concat(axis, values...), axis, nil, xs...)
}

// Expand returns x broadcast to shape: axes of size 1 and missing leading axes are repeated.
func Expand(x *Var, shape ...int) *Var {
	t := begin("Expand", "x", x)
	floats("Expand", x.value)
	x.value.Expand(shape...) // panics where the shapes do not fit
	return Add(x, t.Own(tensor.Zeros(t.dev, shape...)))
}

// Stack joins Vars of one shape along a new axis, which may be the last.
func Stack(axis int, xs ...*Var) *Var {
	begin("Stack", "an input", xs...)
	for _, x := range xs {
		floats("Stack", x.value)
	}
	first := xs[0].Shape()
	if axis < 0 {
		axis += len(first) + 1
	}
	if axis < 0 || axis > len(first) {
		panic(&tensor.ShapeError{Op: "Stack", Shapes: []tensor.Shape{first}, Reason: fmt.Sprintf("no new axis %d", axis)})
	}
	parts := make([]*Var, len(xs))
	for i, x := range xs {
		if !x.Shape().Equal(first) {
			panic(&tensor.ShapeError{Op: "Stack", Shapes: []tensor.Shape{first, x.Shape()}, Reason: "shapes differ"})
		}
		parts[i] = Reshape(x, slices.Insert(slices.Clone(first), axis, 1)...)
	}
	return Concat(axis, parts...)
}

var padRule = newRule(rule{name: "Pad", grad: func(n *node, dy *tensor.Tensor) {
	for axis, p := range n.attr.([][2]int) {
		dy = dy.Slice(axis, p[0], dy.Dim(axis)-p[1])
	}
	n.in[only].accept(dy.Clone())
}})

// Pad returns x with elements of a value around it. pads are how many come before and after, for each axis.
func Pad(x *Var, value float32, pads ...[2]int) *Var {
	t := begin("Pad", "x", x)
	return t.result(padRule, tensor.Pad(x.value, value, pads...), slices.Clone(pads), nil, x)
}

var flipRule = newRule(rule{name: "Flip", grad: func(n *node, dy *tensor.Tensor) {
	n.in[only].accept(tensor.Flip(dy, n.attr.([]int)...))
}})

// Flip returns x with its elements in reverse order along axes.
func Flip(x *Var, axes ...int) *Var {
	t := begin("Flip", "x", x)
	floats("Flip", x.value)
	return t.result(flipRule, tensor.Flip(x.value, axes...), slices.Clone(axes), nil, x)
}
