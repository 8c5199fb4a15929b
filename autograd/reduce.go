package autograd

import "github.com/gobeit/gobeit/tensor"

// Sum returns the sum over an axis. The result has one axis less.
func Sum(x *Var, axis int) *Var { return reduce(kSum, tensor.ReduceSum, x, axis) }

// Mean returns the mean over an axis. The result has one axis less.
func Mean(x *Var, axis int) *Var { return reduce(kMean, tensor.ReduceMean, x, axis) }

func reduce(k kind, op tensor.ReduceOp, x *Var, axis int) *Var {
	if axis < 0 {
		axis += x.value.Rank()
	}
	return x.tape.result(k, tensor.Reduce(op, x.value, axis), axis, nil, x)
}

// Softmax returns the softmax over the last axis.
func Softmax(x *Var) *Var {
	return x.tape.result(kSoftmax, tensor.Softmax(x.value), nil, nil, x)
}
