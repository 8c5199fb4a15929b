package autograd

import "github.com/gobeit/gobeit/tensor"

// normEps bounds norms from below, as in PyTorch's functional.normalize.
const normEps = 1e-12

// The places of LayerNorm's inputs, and of what L2Normalize saves.
const (
	layerNormX, layerNormW, layerNormB = 0, 1, 2

	savedNorm = 0
)

var layerNormRule = newRule(rule{
	name: "LayerNorm",
	grad: func(n *node, dy *tensor.Tensor) {
		f := n.attr.(tensor.LayerNormArgs)
		tensor.LayerNormGrad(tensor.LayerNormGradArgs{
			DX: n.dest(layerNormX), DW: n.dest(layerNormW), DB: n.dest(layerNormB),
			DY: dy, X: n.in[layerNormX].value, W: n.in[layerNormW].value, Mean: f.Mean, Rstd: f.Rstd,
		})
	},
	recompute: func(n *node) func() *tensor.Tensor {
		return func() *tensor.Tensor {
			for _, v := range n.in {
				v.restore()
			}
			f := n.attr.(tensor.LayerNormArgs)
			return tensor.LayerNorm(tensor.LayerNormArgs{
				X: n.in[layerNormX].value, W: n.in[layerNormW].value, B: n.in[layerNormB].value, Mean: f.Mean, Rstd: f.Rstd, Eps: f.Eps,
			}).Y
		}
	},
})

// LayerNorm normalises the last axis of x, then multiplies by w and adds b, both [D].
func LayerNorm(x, w, b *Var, eps float32) *Var {
	t := begin("LayerNorm", "x, w, b", x, w, b)
	f := tensor.LayerNorm(tensor.LayerNormArgs{X: x.value, W: w.value, B: b.value, Eps: eps})
	return t.result(layerNormRule, f.Y, f, []*tensor.Tensor{f.Mean, f.Rstd}, []*Var{layerNormX: x, layerNormW: w, layerNormB: b}...)
}

// GroupNorm normalises x [B, C, ..] over the cells of each of groups groups of neighbouring channels, then multiplies each channel by w and adds b, both
// [C]. It panics unless groups divides C.
func GroupNorm(x, w, b *Var, groups int, eps float32) *Var {
	t := begin("GroupNorm", "x, w, b", x, w, b)
	floats("GroupNorm", x.value, w.value, b.value)
	s := x.Shape()
	if len(s) < 2 || groups < 1 || s[1]%groups != 0 || s[1:].Size() == 0 || w.value.Size() != s[1] || b.value.Size() != s[1] {
		panic(&tensor.ShapeError{Op: "GroupNorm", Shapes: []tensor.Shape{s, {groups}, w.Shape(), b.Shape()},
			Reason: "want x [B, C, ..], a number of groups that divides C, w and b [C]"})
	}
	width := s[1:].Size() / groups
	one, zero := t.Own(tensor.Full(t.dev, 1, width)), t.Own(tensor.Zeros(t.dev, width))
	normal := Reshape(LayerNorm(Reshape(x, s[0]*groups, width), one, zero, eps), s[0], s[1], s[2:].Size())
	return Reshape(Add(Mul(normal, Reshape(w, s[1], 1)), Reshape(b, s[1], 1)), s...)
}

var l2NormalizeRule = newRule(rule{
	name: "L2Normalize",
	grad: func(n *node, dy *tensor.Tensor) {
		n.in[only].accept(tensor.L2NormalizeGrad(dy, n.out.value, n.saved[savedNorm], normEps))
	},
	readsOutput: always,
})

// L2Normalize divides the last axis by max(its 2-norm, 1e-12).
func L2Normalize(x *Var) *Var {
	t := begin("L2Normalize", "x", x)
	y, norm := tensor.L2Normalize(x.value, normEps)
	return t.result(l2NormalizeRule, y, nil, []*tensor.Tensor{savedNorm: norm}, x)
}
