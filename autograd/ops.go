package autograd

import (
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// normEps bounds norms from below, as in PyTorch's functional.normalize.
const normEps = 1e-12

// Add returns a + b, broadcast as in numpy.
func Add(a, b *Var) *Var {
	return a.tape.result(kAdd, tensor.Add(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Sub returns a − b, broadcast.
func Sub(a, b *Var) *Var {
	return a.tape.result(kSub, tensor.Sub(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Mul returns a·b elementwise, broadcast.
func Mul(a, b *Var) *Var {
	return a.tape.result(kMul, tensor.Mul(a.value, b.value), nil, nil, []*Var{left: a, right: b}...)
}

// Affine returns x·scale + shift.
func Affine(x *Var, scale, shift float32) *Var {
	return x.tape.result(kAffine, tensor.Affine(x.value, scale, shift), scale, nil, x)
}

// Unary returns op of each element.
func Unary(op tensor.UnaryOp, x *Var) *Var {
	return x.tape.result(kUnary, tensor.Unary(op, x.value), op, nil, x)
}

// GELU returns x·Φ(x), the exact form.
func GELU(x *Var) *Var { return Unary(tensor.UnaryGELU, x) }

// Tanh returns tanh(x).
func Tanh(x *Var) *Var { return Unary(tensor.UnaryTanh, x) }

// MatMul returns a·b over the last two axes at the tape's precision; leading axes are broadcast.
func MatMul(a, b *Var) *Var {
	if a.value.Rank() < 2 || b.value.Rank() < 2 {
		panic(&tensor.ShapeError{Op: "MatMul", Shapes: []tensor.Shape{a.Shape(), b.Shape()}, Reason: "want at least two axes"})
	}
	p := a.tape.Precision
	y := tensor.New(a.tape.dev, slices.Concat(leading(a.value, b.value), []int{a.value.Dim(-2), b.value.Dim(-1)})...)
	tensor.MatMulInto(y, a.value, b.value, false, p)
	return a.tape.result(kMatMul, y, p, nil, []*Var{left: a, right: b}...)
}

// leading is the broadcast of the leading axes of a matrix product; sizes that do not fit are found by the product itself.
func leading(a, b *tensor.Tensor) []int {
	s, o := a.Shape()[:a.Rank()-2], b.Shape()[:b.Rank()-2]
	if len(s) < len(o) {
		s, o = o, s
	}
	out := slices.Clone([]int(s))
	for i, d := range o {
		if at := len(s) - len(o) + i; out[at] == 1 {
			out[at] = d
		}
	}
	return out
}

// LinearOptions says what follows a linear layer in the same pass; see tensor.LinearArgs.
type LinearOptions struct {
	GELU     bool           // y = GELU(x·wᵀ + bias); not together with Residual
	Residual *Var           // y = residual + keep·gamma ⊙ (x·wᵀ + bias)
	Gamma    *Var           // LayerScale [N]; nil: ones
	Keep     *tensor.Tensor // stochastic depth [B]; nil: ones
}

// Linear returns x·wᵀ + bias, x [.., K], w [N, K], bias [N] or nil, with options, at the tape's precision.
func Linear(x, w, bias *Var, o LinearOptions) *Var {
	f := tensor.Linear(tensor.LinearArgs{
		X: x.value, W: w.value, Bias: bias.tensor(), GELU: o.GELU,
		Residual: o.Residual.tensor(), Gamma: o.Gamma.tensor(), Keep: o.Keep, Precision: x.tape.Precision,
	})
	var saved []*tensor.Tensor
	if f.Pre != nil {
		saved = append(saved, f.Pre)
	}
	return x.tape.result(kLinear, f.Y, f, saved,
		[]*Var{linearX: x, linearW: w, linearBias: bias, linearResidual: o.Residual, linearGamma: o.Gamma}...)
}

// tensor is v's value, or nil for no Var.
func (v *Var) tensor() *tensor.Tensor {
	if v == nil {
		return nil
	}
	return v.value
}

// Attention returns softmax(scale·q·kᵀ + bias)·v for each head, from qkv [B, N, 3·H·D] and bias [H, N, N] or nil,
// as [B, N, H·D], at the tape's precision.
func Attention(qkv, bias *Var, heads int, scale float32) *Var {
	f := tensor.Attention(tensor.AttentionArgs{
		QKV: qkv.value, Bias: bias.tensor(), Heads: heads, Scale: scale, Precision: qkv.tape.Precision,
	})
	return qkv.tape.result(kAttention, f.Out, f, []*tensor.Tensor{f.LSE}, []*Var{attentionQKV: qkv, attentionBias: bias}...)
}

// LayerNorm normalises the last axis of x and applies w and b, both [D].
func LayerNorm(x, w, b *Var, eps float32) *Var {
	f := tensor.LayerNorm(tensor.LayerNormArgs{X: x.value, W: w.value, B: b.value, Eps: eps})
	return x.tape.result(kLayerNorm, f.Y, f, []*tensor.Tensor{f.Mean, f.Rstd}, []*Var{layerNormX: x, layerNormW: w, layerNormB: b}...)
}

// Softmax over the last axis.
func Softmax(x *Var) *Var {
	return x.tape.result(kSoftmax, tensor.Softmax(x.value), nil, nil, x)
}

// L2Normalize divides the last axis by max(its 2-norm, 1e-12).
func L2Normalize(x *Var) *Var {
	y, norm := tensor.L2Normalize(x.value, normEps)
	return x.tape.result(kL2Normalize, y, nil, []*tensor.Tensor{savedNorm: norm}, x)
}

// CrossEntropy returns the mean over rows of the cross-entropy of logits [R, K] with labels, Int32 [R], smoothed by
// smoothing; rows with a label below 0 do not count.
func CrossEntropy(logits *Var, labels *tensor.Tensor, smoothing float32) *Var {
	return crossEntropy(logits, tensor.CrossEntropyArgs{Logits: logits.value, Labels: labels, Smoothing: smoothing})
}

// SoftCrossEntropy returns the mean over rows of −Σ soft·log softmax(logits), both [R, K].
func SoftCrossEntropy(logits *Var, soft *tensor.Tensor) *Var {
	return crossEntropy(logits, tensor.CrossEntropyArgs{Logits: logits.value, Soft: soft})
}

func crossEntropy(logits *Var, a tensor.CrossEntropyArgs) *Var {
	f := tensor.CrossEntropy(a)
	return logits.tape.result(kCrossEntropy, f.Loss, f, []*tensor.Tensor{f.LSE}, logits)
}

// CosineLoss returns the mean over rows of 1 − cos(x, target) along the last axis; target gets no gradient.
func CosineLoss(x *Var, target *tensor.Tensor) *Var {
	return x.tape.result(kCosineLoss, tensor.CosineLoss(x.value, target), target, nil, x)
}

// MeanSquare returns the mean over all elements of (a − b)².
func MeanSquare(a, b *Var) *Var {
	d := Sub(a, b)
	return Mean(Reshape(Mul(d, d), -1), 0)
}

// Sum adds up an axis, which disappears.
func Sum(x *Var, axis int) *Var { return reduce(kSum, tensor.ReduceSum, x, axis) }

// Mean averages an axis, which disappears.
func Mean(x *Var, axis int) *Var { return reduce(kMean, tensor.ReduceMean, x, axis) }

func reduce(k kind, op tensor.ReduceOp, x *Var, axis int) *Var {
	if axis < 0 {
		axis += x.value.Rank()
	}
	return x.tape.result(k, tensor.Reduce(op, x.value, axis), axis, nil, x)
}

// StopGradient returns x as a constant: Backward goes no further.
func StopGradient(x *Var) *Var {
	x.value.Retain()
	return x.tape.Own(x.value)
}

// StraightThrough returns value, which becomes the tape's, in place of x; x gets the gradient unchanged. Shapes are equal.
func StraightThrough(x *Var, value *tensor.Tensor) *Var {
	if !x.Shape().Equal(value.Shape()) {
		panic(&tensor.ShapeError{Op: "StraightThrough", Shapes: []tensor.Shape{x.Shape(), value.Shape()}, Reason: "shapes differ"})
	}
	return x.tape.result(kStraightThrough, value, nil, nil, x)
}
