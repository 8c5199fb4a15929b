package autograd

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// Reduction is what a loss makes of the losses of its elements.
type Reduction uint8

// The reductions: the mean and the sum, which have shape [], and all elements as they are. Mean and sum of nothing are 0.
const (
	ReductionMean Reduction = iota
	ReductionSum
	ReductionNone
)

// of returns the reduction of losses, which it releases where it makes a new tensor.
func (r Reduction) of(losses *tensor.Tensor) *tensor.Tensor {
	if r == ReductionNone {
		return losses
	}
	defer losses.Release()
	switch flat := losses.Reshape(-1); {
	case flat.Size() == 0:
		return tensor.Zeros(losses.Device())
	case r == ReductionSum:
		return tensor.Sum(flat, 0)
	default:
		return tensor.Mean(flat, 0)
	}
}

// upstream returns the gradient of each of n losses, given that of their reduction: one element that stands for all, or dy itself.
func (r Reduction) upstream(dy *tensor.Tensor, n int) *tensor.Tensor {
	scale := float32(1)
	if r == ReductionMean {
		scale = 1 / float32(max(n, 1))
	}
	return tensor.Affine(dy, scale, 0)
}

// check panics for a Reduction that there is not.
func (r Reduction) check(op string, x *Var) {
	if r > ReductionNone {
		panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{x.Shape()}, Reason: fmt.Sprintf("no reduction %d", r)})
	}
}

// elementLoss is what the rule of ElementLoss keeps.
type elementLoss struct {
	op        tensor.LossOp
	target    *tensor.Tensor
	delta     float32
	reduction Reduction
}

var elementLossRule = newRule(rule{name: "ElementLoss", grad: func(n *node, dy *tensor.Tensor) {
	l, x := n.attr.(elementLoss), n.in[only].value
	up := l.reduction.upstream(dy, x.Size())
	defer up.Release()
	n.in[only].accept(tensor.ElementLossGrad(l.op, up, x, l.target, l.delta))
}})

// BCEWithLogits returns the binary cross-entropy of logits with target, numbers from 0 to 1 of the same shape, which gets no gradient. It does not
// overflow; see tensor.LossBCE.
func BCEWithLogits(logits *Var, target *tensor.Tensor, r Reduction) *Var {
	return recordElementLoss("BCEWithLogits", "logits", logits, elementLoss{op: tensor.LossBCE, target: target, reduction: r})
}

// L1Loss returns |x − target|, of one shape. target gets no gradient, and where both are equal that of x is 0.
func L1Loss(x *Var, target *tensor.Tensor, r Reduction) *Var {
	return recordElementLoss("L1Loss", "x", x, elementLoss{op: tensor.LossL1, target: target, reduction: r})
}

// HuberLoss returns (x − target)²/2 where |x − target| ≤ delta, else delta·(|x − target| − delta/2), as torch.nn.HuberLoss. Both have one shape, and
// target gets no gradient. delta is above 0.
func HuberLoss(x *Var, target *tensor.Tensor, delta float32, r Reduction) *Var {
	return recordElementLoss("HuberLoss", "x", x, elementLoss{op: tensor.LossHuber, target: target, delta: delta, reduction: r})
}

// recordElementLoss records the loss l of x, for a call of op.
func recordElementLoss(op, name string, x *Var, l elementLoss) *Var {
	t := begin(op, name, x)
	checkTarget(op, x, l.target)
	l.reduction.check(op, x)
	if l.op == tensor.LossHuber && !(l.delta > 0) {
		panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{x.Shape()}, Reason: fmt.Sprintf("delta is %g, want more than 0", l.delta)})
	}
	losses := tensor.ElementLoss(l.op, x.value, l.target, l.delta)
	return t.result(elementLossRule, l.reduction.of(losses), l, nil, x)
}

// checkTarget panics unless x and target are Float32 of one shape.
func checkTarget(op string, x *Var, target *tensor.Tensor) {
	has(op, "target", target)
	floats(op, x.value, target)
	if !x.Shape().Equal(target.Shape()) {
		panic(&tensor.ShapeError{Op: op, Shapes: []tensor.Shape{x.Shape(), target.Shape()}, Reason: "shapes differ"})
	}
}
