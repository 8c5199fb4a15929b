package autograd

import "github.com/gobeit/gobeit/tensor"

// The places of batch norm's inputs, and of what BatchNorm saves.
const (
	batchNormX, batchNormW, batchNormB = 0, 1, 2

	savedMean, savedVariance = 0, 1
)

// batchNorm is what the gradient of BatchNorm needs besides its inputs.
type batchNorm struct {
	mean, variance *tensor.Tensor
	eps            float32
	count          int                    // of the values of each channel; 0 where the statistics are constants
	total          func(t *tensor.Tensor) // nil in a single process
}

var batchNormRule = newRule(rule{name: "BatchNorm", grad: func(n *node, dy *tensor.Tensor) {
	f, x := n.attr.(batchNorm), n.in[batchNormX]
	sums := tensor.BatchNormSums(dy, x.value, f.mean, f.variance, f.eps)
	defer sums.Release()
	for row, v := range []*Var{n.in[batchNormW], n.in[batchNormB]} { // before they are added up over processes, as all gradients are
		if v.needs {
			v.accept(sums.Slice(0, row, row+1).Reshape(v.Shape()...).Clone())
		}
	}
	if !x.needs {
		return
	}
	a := tensor.BatchNormGradArgs{DX: n.dest(batchNormX), DY: dy, X: x.value, W: n.in[batchNormW].value, Mean: f.mean, Var: f.variance, Eps: f.eps}
	if f.count > 0 {
		if f.total != nil {
			f.total(sums)
		}
		a.Sums, a.Count = sums, f.count
	}
	tensor.BatchNormGrad(a)
}})

// BatchNorm normalises the channels of x [B, C, ..] by given statistics: (x − mean)·w/√(variance + eps) + b. All others are [C]. mean and variance are
// constants, which remain the caller's and must not change before Backward.
func BatchNorm(x, w, b *Var, mean, variance *tensor.Tensor, eps float32) *Var {
	t := begin("BatchNorm", "x, w, b", x, w, b)
	y := tensor.BatchNorm(x.value, mean, variance, w.value, b.value, eps)
	return t.result(batchNormRule, y, batchNorm{mean: mean, variance: variance, eps: eps}, nil, x, w, b)
}

// Moments are the statistics of a batch: mean and biased variance of each channel, both [C], of Count values. The tape owns the tensors: they live at
// least until Backward.
type Moments struct {
	Mean, Variance *tensor.Tensor
	Count          int
}

// BatchNormTrain normalises the channels of x [B, C, ..] by the statistics of x itself, through which gradients flow, and returns those too. w and b are
// [C].
//
// total replaces a tensor by its sum over all processes that train together; the statistics are then those of all their values. It is called once or more
// in the forward pass and once in the backward pass, in the same order in every process. nil stands for a single process. Gradients of w and b are those of
// this process's values.
func BatchNormTrain(x, w, b *Var, eps float32, total func(t *tensor.Tensor)) (*Var, Moments) {
	t := begin("BatchNormTrain", "x, w, b", x, w, b)
	floats("BatchNormTrain", x.value, w.value, b.value)
	if s := x.Shape(); len(s) < 2 || x.value.Size() == 0 || w.value.Size() != s[1] || b.value.Size() != s[1] {
		panic(&tensor.ShapeError{Op: "BatchNormTrain", Shapes: []tensor.Shape{s, w.Shape(), b.Shape()}, Reason: "want x [B, C, ..] of some values, w and b [C]"})
	}
	mean, variance := tensor.BatchStats(x.value)
	m := Moments{Mean: mean, Variance: variance, Count: x.value.Size() / x.Shape()[1]}
	if total != nil {
		m = m.over(total)
	}
	y := tensor.BatchNorm(x.value, m.Mean, m.Variance, w.value, b.value, eps)
	t.Own(m.Mean)
	t.Own(m.Variance)
	f := batchNorm{mean: m.Mean, variance: m.Variance, eps: eps, count: m.Count, total: total}
	return t.result(batchNormRule, y, f, nil, x, w, b), m
}

// over replaces moments by those of the values of all processes: the mean of means by their counts, then the mean of variances and of squared distances
// between the means.
func (m Moments) over(total func(t *tensor.Tensor)) Moments {
	dev, c := m.Mean.Device(), m.Mean.Size()
	own := tensor.Full(dev, float32(m.Count), 1)
	defer own.Release()
	sums := tensor.New(dev, c+1)
	defer sums.Release()
	values, count := sums.Slice(0, 0, c), sums.Slice(0, c, c+1)
	tensor.BinaryInto(values, tensor.BinaryMul, m.Mean, own)
	tensor.CopyInto(count, own)
	total(sums)
	mean := tensor.Div(values, count)

	squares := tensor.Sub(m.Mean, mean)
	defer squares.Release()
	tensor.BinaryInto(squares, tensor.BinaryMul, squares, squares)
	tensor.AddScaled(squares, m.Variance, 1)
	tensor.BinaryInto(squares, tensor.BinaryMul, squares, own)
	total(squares)
	variance := tensor.Div(squares, count)
	m.Mean.Release()
	m.Variance.Release()
	return Moments{Mean: mean, Variance: variance, Count: int(count.Item())}
}
