package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Reshape returns x with another shape of the same size. One size may be -1. Nothing is copied.
func Reshape(x *Var, shape ...int) *Var {
	x.value.Retain()
	return x.tape.result(kReshape, x.value.Reshape(shape...), nil, nil, x)
}

// Permute returns a contiguous tensor whose axis i is axis order[i] of x.
func Permute(x *Var, order ...int) *Var {
	order = slices.Clone(order)
	for i := range order {
		if order[i] < 0 {
			order[i] += x.value.Rank()
		}
	}
	return x.tape.result(kPermute, x.value.Permute(order...).Clone(), order, nil, x)
}

// Slice returns the elements lo … hi-1 along an axis, contiguous.
func Slice(x *Var, axis, lo, hi int) *Var {
	if axis < 0 {
		axis += x.value.Rank()
	}
	return x.tape.result(kSlice, x.value.Slice(axis, lo, hi).Clone(), [2]int{axis, lo}, nil, x)
}

// Concat joins Vars along an axis.
func Concat(axis int, xs ...*Var) *Var {
	values := make([]*tensor.Tensor, len(xs))
	for i, x := range xs {
		values[i] = x.value
	}
	if axis < 0 {
		axis += values[0].Rank()
	}
	return xs[0].tape.result(kConcat, tensor.Concat(axis, values...), axis, nil, xs...)
}

// Expand returns x broadcast to shape: axes of size 1 and missing leading axes are repeated.
func Expand(x *Var, shape ...int) *Var {
	return Add(x, x.tape.Own(tensor.Zeros(x.tape.dev, shape...)))
}
