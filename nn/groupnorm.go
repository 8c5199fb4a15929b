package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// GroupNorm is normalisation over groups of channels of [B, C, ..].
type GroupNorm struct {
	W, B   *Param // [C]
	Groups int
	Eps    float32 // 1e-5, as in PyTorch
}

// NewGroupNorm declares a group norm with the parameters "weight", initially 1, and "bias", initially 0. It panics unless groups divides channels.
func NewGroupNorm(s Scope, groups, channels int) *GroupNorm {
	if groups < 1 || channels < 1 || channels%groups != 0 {
		panic(&tensor.ShapeError{Op: "NewGroupNorm", Shapes: []tensor.Shape{{groups}, {channels}}, Reason: "want a number of groups that divides that of channels"})
	}
	return &GroupNorm{W: s.Param("weight", Ones, channels), B: s.Param("bias", Zeros, channels), Groups: groups, Eps: 1e-5}
}

// Forward normalises x [B, C, ..].
func (n *GroupNorm) Forward(c Context, x *autograd.Var) *autograd.Var {
	return autograd.GroupNorm(x, n.W.Var(c.Tape), n.B.Var(c.Tape), n.Groups, n.Eps)
}
