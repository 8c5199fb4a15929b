package autograd

import "github.com/gobeit/gobeit/tensor"

// CrossEntropy returns the mean cross-entropy of logits [R, K] with labels, Int32 [R], with label smoothing. Rows with a negative label
// are ignored.
func CrossEntropy(logits *Var, labels *tensor.Tensor, smoothing float32) *Var {
	return crossEntropy(logits, tensor.CrossEntropyArgs{Logits: logits.value, Labels: labels, Smoothing: smoothing})
}

// SoftCrossEntropy returns the mean over rows of −Σ soft·log softmax(logits). Both are [R, K].
func SoftCrossEntropy(logits *Var, soft *tensor.Tensor) *Var {
	return crossEntropy(logits, tensor.CrossEntropyArgs{Logits: logits.value, Soft: soft})
}

func crossEntropy(logits *Var, a tensor.CrossEntropyArgs) *Var {
	f := tensor.CrossEntropy(a)
	return logits.tape.result(kCrossEntropy, f.Loss, f, []*tensor.Tensor{f.LSE}, logits)
}

// CosineLoss returns the mean over rows of 1 − cos(x, target) along the last axis. target gets no gradient.
func CosineLoss(x *Var, target *tensor.Tensor) *Var {
	return x.tape.result(kCosineLoss, tensor.CosineLoss(x.value, target), target, nil, x)
}

// MeanSquare returns the mean of (a − b)² over all elements.
func MeanSquare(a, b *Var) *Var {
	d := Sub(a, b)
	return Mean(Reshape(Mul(d, d), -1), 0)
}
