package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Reshape returns x with another shape of the same size. One size may be -1. Nothing is copied.
func Reshape(x *Var, shape ...int) *Var {
	t := begin("Reshape", "x", x)
	y := x.value.Reshape(shape...)
	y.Retain()
	return t.result(kReshape, y, nil, nil, x)
}

// Permute returns a contiguous tensor whose axis i is axis order[i] of x.
func Permute(x *Var, order ...int) *Var {
	t := begin("Permute", "x", x)
	order = slices.Clone(order)
	for i := range order {
		if order[i] < 0 {
			order[i] += x.value.Rank()
		}
	}
	return t.result(kPermute, x.value.Permute(order...).Clone(), order, nil, x)
}

// Slice returns the elements lo … hi-1 along an axis, contiguous.
func Slice(x *Var, axis, lo, hi int) *Var {
	t := begin("Slice", "x", x)
	if axis < 0 {
		axis += x.value.Rank()
	}
	return t.result(kSlice, x.value.Slice(axis, lo, hi).Clone(), [2]int{axis, lo}, nil, x)
}

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
	return t.result(kConcat, tensor.Concat(axis, values...), axis, nil, xs...)
}

// Expand returns x broadcast to shape: axes of size 1 and missing leading axes are repeated.
func Expand(x *Var, shape ...int) *Var {
	t := begin("Expand", "x", x)
	floats("Expand", x.value)
	x.value.Expand(shape...) // panics where the shapes do not fit
	return Add(x, t.Own(tensor.Zeros(t.dev, shape...)))
}
