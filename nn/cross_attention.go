package nn

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// CrossAttention is multi-head attention of queries to the keys and values of another sequence.
type CrossAttention struct {
	Q, K, V, Proj *Linear
	Heads         int
}

// NewCrossAttention declares the linear layers "q", "k", "v" and "proj", for queries of width elements and keys and values of context elements.
// It panics when heads does not divide width.
func NewCrossAttention(s Scope, width, context, heads int, init LinearInit) *CrossAttention {
	if heads < 1 || width%heads != 0 {
		panic(&tensor.ShapeError{Op: "NewCrossAttention", Shapes: []tensor.Shape{{width}, {heads}}, Reason: "heads do not divide the width"})
	}
	return &CrossAttention{
		Q: NewLinear(s.Sub("q"), width, width, init), K: NewLinear(s.Sub("k"), context, width, init), V: NewLinear(s.Sub("v"), context, width, init),
		Proj: NewLinear(s.Sub("proj"), width, width, init), Heads: heads,
	}
}

// Forward returns [B, NQ, d] from queries x [B, NQ, d]. keys and values are [B, NK, context], often the same Var. Keys whose element of keyMask [B,
// NK] is 0 are hidden; nil hides none. o are the options fused with the output projection.
func (a *CrossAttention) Forward(c Context, x, keys, values *autograd.Var, keyMask *tensor.Tensor, o autograd.LinearOptions) *autograd.Var {
	plain := autograd.LinearOptions{}
	q := a.Q.Forward(c, x, plain)
	kv := autograd.Concat(2, a.K.Forward(c, keys, plain), a.V.Forward(c, values, plain))
	scale := float32(1 / math.Sqrt(float64(a.Q.W.Shape[0]/a.Heads)))
	return a.Proj.Forward(c, autograd.CrossAttention(q, kv, a.Heads, scale, autograd.AttentionOptions{KeyMask: keyMask}), o)
}
