package autograd

import "github.com/gobeit/gobeit/tensor"

// Sum returns the sum over an axis. The result has one axis less.
func Sum(x *Var, axis int) *Var { return reduce(kSum, tensor.Sum, x, axis) }

// Mean returns the mean over an axis. The result has one axis less.
func Mean(x *Var, axis int) *Var { return reduce(kMean, tensor.Mean, x, axis) }

func reduce(k kind, f func(x *tensor.Tensor, axis int) *tensor.Tensor, x *Var, axis int) *Var {
	t := begin(k.String(), "x", x)
	if axis < 0 {
		axis += x.value.Rank()
	}
	return t.result(k, f(x.value, axis), axis, nil, x)
}

// Softmax returns the softmax over the last axis.
func Softmax(x *Var) *Var {
	t := begin("Softmax", "x", x)
	return t.result(kSoftmax, tensor.Softmax(x.value), nil, nil, x)
}
