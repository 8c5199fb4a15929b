package autograd

import (
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
