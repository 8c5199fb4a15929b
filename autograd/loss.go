package autograd

import "github.com/gobeit/gobeit/tensor"

var crossEntropyRule = newRule(rule{name: "CrossEntropy", grad: func(n *node, dy *tensor.Tensor) {
	a := n.attr.(tensor.CrossEntropyArgs)
	a.Logits = n.in[only].value
	n.in[only].accept(tensor.CrossEntropyGrad(dy, a))
}})

// CrossEntropy returns the mean cross-entropy of logits [R, K] with labels, Int32 [R], with label smoothing. Rows with a negative label
// are ignored.
func CrossEntropy(logits *Var, labels *tensor.Tensor, smoothing float32) *Var {
	t := begin("CrossEntropy", "logits", logits)
	return t.crossEntropy(logits, tensor.CrossEntropyArgs{Labels: labels, Smoothing: smoothing})
}

// PixelCrossEntropy returns the mean cross-entropy of logits [B, K, H, W] with the labels of cells, Int32 [B, H, W]. Cells with a negative label are
// ignored: with overAll they count in the mean, as cells without a loss, which is what mmsegmentation does; else they do not.
func PixelCrossEntropy(logits *Var, labels *tensor.Tensor, overAll bool) *Var {
	t := begin("PixelCrossEntropy", "logits", logits)
	has("PixelCrossEntropy", "labels", labels)
	s := maps("PixelCrossEntropy", logits)
	if !labels.Shape().Equal(tensor.Shape{s[0], s[2], s[3]}) {
		panic(&tensor.ShapeError{Op: "PixelCrossEntropy", Shapes: []tensor.Shape{s, labels.Shape()}, Reason: "want a label for each cell of logits [B, K, H, W]"})
	}
	rows := Reshape(Permute(logits, 0, 2, 3, 1), labels.Size(), s[1])
	return t.crossEntropy(rows, tensor.CrossEntropyArgs{Labels: labels, OverAll: overAll})
}

// SoftCrossEntropy returns the mean over rows of −Σ soft·log softmax(logits). Both are [R, K].
func SoftCrossEntropy(logits *Var, soft *tensor.Tensor) *Var {
	t := begin("SoftCrossEntropy", "logits", logits)
	has("SoftCrossEntropy", "soft", soft)
	floats("SoftCrossEntropy", logits.value, soft)
	if !logits.Shape().Equal(soft.Shape()) {
		panic(&tensor.ShapeError{Op: "SoftCrossEntropy", Shapes: []tensor.Shape{logits.Shape(), soft.Shape()}, Reason: "shapes differ"})
	}
	return t.crossEntropy(logits, tensor.CrossEntropyArgs{Soft: soft})
}

// crossEntropy is the loss of logits with the labels or soft targets of a.
func (t *Tape) crossEntropy(logits *Var, a tensor.CrossEntropyArgs) *Var {
	a.Logits = logits.value
	f := tensor.CrossEntropy(a)
	return t.result(crossEntropyRule, f.Loss, f, []*tensor.Tensor{f.LSE}, logits)
}

var cosineLossRule = newRule(rule{name: "CosineLoss", grad: func(n *node, dy *tensor.Tensor) {
	n.in[only].accept(tensor.CosineLossGrad(dy, n.in[only].value, n.attr.(*tensor.Tensor)))
}})

// CosineLoss returns the mean over rows of 1 − cos(x, target) along the last axis. target gets no gradient.
func CosineLoss(x *Var, target *tensor.Tensor) *Var {
	t := begin("CosineLoss", "x", x)
	return t.result(cosineLossRule, tensor.CosineLoss(x.value, target), target, nil, x)
}

// MeanSquare returns the mean of (a − b)² over all elements.
func MeanSquare(a, b *Var) *Var {
	begin("MeanSquare", "a, b", a, b)
	floats("MeanSquare", a.value, b.value)
	if _, ok := tensor.Broadcast(a.Shape(), b.Shape()); !ok {
		panic(&tensor.ShapeError{Op: "MeanSquare", Shapes: []tensor.Shape{a.Shape(), b.Shape()}, Reason: "not broadcastable"})
	}
	d := Sub(a, b)
	return Mean(Reshape(Mul(d, d), -1), 0)
}
