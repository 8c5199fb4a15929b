package autograd

import (
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

var (
	// y = Σ x along one axis
	sumRule = newRule(rule{name: "Sum", grad: func(n *node, dy *tensor.Tensor) { n.spread(dy, 1) }})
	// y = Σ x / n along one axis
	meanRule = newRule(rule{name: "Mean", grad: func(n *node, dy *tensor.Tensor) {
		n.spread(dy, 1/float32(max(1, n.in[only].Shape()[n.attr.(int)])))
	}})
)

// Sum returns the sum over an axis. The result has one axis less.
func Sum(x *Var, axis int) *Var { return reduce(sumRule, tensor.Sum, x, axis) }

// Mean returns the mean over an axis. The result has one axis less.
func Mean(x *Var, axis int) *Var { return reduce(meanRule, tensor.Mean, x, axis) }

func reduce(r *rule, f func(x *tensor.Tensor, axis int) *tensor.Tensor, x *Var, axis int) *Var {
	t := begin(r.name, "x", x)
	if axis < 0 {
		axis += x.value.Rank()
	}
	return t.result(r, f(x.value, axis), axis, nil, x)
}

// y = Σ x up to each element
var cumSumRule = newRule(rule{name: "CumSum", grad: func(n *node, dy *tensor.Tensor) {
	n.in[only].accept(tensor.CumSumGrad(dy, n.attr.(int)))
}})

// CumSum returns the sums along an axis up to and with each element.
func CumSum(x *Var, axis int) *Var { return reduce(cumSumRule, tensor.CumSum, x, axis) }

var softmaxRule = newRule(rule{
	name: "Softmax",
	grad: func(n *node, dy *tensor.Tensor) {
		n.in[only].accept(tensor.SoftmaxGrad(dy, n.out.value))
	},
	readsOutput: always,
})

// Softmax returns the softmax over the last axis.
func Softmax(x *Var) *Var {
	t := begin("Softmax", "x", x)
	return t.result(softmaxRule, tensor.Softmax(x.value), nil, nil, x)
}

var logSoftmaxRule = newRule(rule{
	name: "LogSoftmax",
	grad: func(n *node, dy *tensor.Tensor) {
		n.in[only].accept(tensor.LogSoftmaxGrad(dy, n.out.value))
	},
	readsOutput: always,
})

// LogSoftmax returns the logarithm of the softmax over the last axis.
func LogSoftmax(x *Var) *Var {
	t := begin("LogSoftmax", "x", x)
	return t.result(logSoftmaxRule, tensor.LogSoftmax(x.value), nil, nil, x)
}

var topKRule = newRule(rule{name: "TopK", grad: func(n *node, dy *tensor.Tensor) {
	x, index := n.in[only], n.attr.(*tensor.Tensor)
	k := index.Dim(-1)
	if dy.Size() == 0 {
		x.accept(tensor.Zeros(x.tape.dev, x.Shape()...))
		return
	}
	row := x.Shape()[x.value.Rank()-1]
	first := tensor.Arange(x.tape.dev, 0, dy.Size()/k) // of each row, in elements
	length := tensor.FromInts(x.tape.dev, []int32{int32(row)}, 1)
	starts := tensor.Mul(first, length)
	place := tensor.Add(index.Reshape(-1, k), starts.Reshape(-1, 1))
	d := n.dest(only)
	if !d.Add {
		d.To.Zero()
	}
	tensor.ScatterAddRows(d.To.Reshape(-1, 1), dy.Reshape(-1, 1), place.Reshape(-1))
	for _, t := range []*tensor.Tensor{first, length, starts, place} {
		t.Release()
	}
}})

// TopK returns the k largest elements along the last axis in descending order, and their indices, Int32, which the tape owns. Both are [.., k]. Only
// these elements get a gradient. x has fewer than 2³¹ elements.
func TopK(x *Var, k int) (values *Var, index *tensor.Tensor) {
	t := begin("TopK", "x", x)
	if x.value.Size() > math.MaxInt32 {
		panic(&tensor.ShapeError{Op: "TopK", Shapes: []tensor.Shape{x.Shape()}, Reason: "more elements than an index can count"})
	}
	v, index := tensor.TopK(x.value, k)
	t.Own(index)
	return t.result(topKRule, v, index, nil, x), index
}

// spread is the rule of Sum and Mean: it repeats dy·scale along the axis that the forward reduction removed.
func (n *node) spread(dy *tensor.Tensor, scale float32) {
	x, axis := n.in[only], n.attr.(int)
	wide := dy.Reshape(slices.Insert(slices.Clone(dy.Shape()), axis, 1)...).Expand(x.Shape()...)
	g := wide.Clone()
	if scale != 1 {
		s := tensor.Affine(g, scale, 0)
		g.Release()
		g = s
	}
	x.accept(g)
}
