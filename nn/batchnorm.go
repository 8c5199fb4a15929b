package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// BatchNorm is batch normalisation of the channels of [B, C, ..]. In training it normalises by the statistics of the batch, else by running ones. Those
// are buffers, which forward passes do not change: see Running.
type BatchNorm struct {
	W, B      *Param  // [C]
	Mean, Var *Param  // [C], the running statistics
	Eps       float32 // 1e-5, as in PyTorch
	Momentum  float64 // 0.1, as in PyTorch: the part of new statistics in the running ones
}

// NewBatchNorm declares a batch norm with the parameters "weight", initially 1, and "bias", initially 0, and the buffers "running_mean", initially 0, and
// "running_var", initially 1. In a Frozen scope it always normalises by running statistics.
func NewBatchNorm(s Scope, channels int) *BatchNorm {
	return &BatchNorm{
		W: s.Param("weight", Ones, channels), B: s.Param("bias", Zeros, channels),
		Mean: s.Buffer("running_mean", Zeros, channels), Var: s.Buffer("running_var", Ones, channels),
		Eps: 1e-5, Momentum: 0.1,
	}
}

// Forward normalises x [B, C, ..]. In training it panics where a channel has only one value, and leaves its statistics in c.Running, unless that is nil.
func (n *BatchNorm) Forward(c Context, x *autograd.Var) *autograd.Var {
	w, b := n.W.Var(c.Tape), n.B.Var(c.Tape)
	if !c.Train || n.W.Buffer {
		return autograd.BatchNorm(x, w, b, n.Mean.Value, n.Var.Value, n.Eps)
	}
	y, m := autograd.BatchNormTrain(x, w, b, n.Eps, c.Running.total())
	if m.Count < 2 {
		panic(&tensor.ShapeError{Op: "BatchNorm", Shapes: []tensor.Shape{x.Shape()}, Reason: "want more than one value for each channel in training"})
	}
	m.Mean.Retain()
	c.Running.note(n, moments{m.Mean, tensor.Affine(m.Variance, float32(float64(m.Count)/float64(m.Count-1)), 0)})
	return y
}
