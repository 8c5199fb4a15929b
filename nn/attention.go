package nn

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Attention is multi-head self-attention. In BEiT query and value have a learned bias. The key has none, because a bias on the key
// cancels in the softmax. Other models have a bias for all three.
type Attention struct {
	QKV          *Param // "qkv.weight" [3d, d]: rows of q, k, v, each head after head
	QBias, VBias *Param // [d], or nil
	QKVBias      *Param // "qkv.bias" [3d], or nil: in place of QBias and VBias
	Proj         *Linear
	Bias         *RelPosBias // the block's own, or nil
	Heads        int
	Causal       bool // a token sees itself and those before it
}

// newAttention declares "qkv.weight" and "proj", and what the config asks for: "q_bias" and "v_bias", or "qkv.bias", and
// "relative_position_bias_table".
func newAttention(s Scope, c BlockConfig) *Attention {
	d := c.Width
	a := &Attention{Heads: c.Heads, Causal: c.Causal}
	switch {
	case c.QKVBias && c.KeyBias:
		a.QKVBias = s.Param("qkv.bias", Zeros, 3*d)
	case c.QKVBias:
		a.QBias, a.VBias = s.Param("q_bias", Zeros, d), s.Param("v_bias", Zeros, d)
	}
	if c.RelPosRows > 0 {
		a.Bias = NewRelPosBias(s, c.RelPosRows, c.RelPosCols, c.Heads)
	}
	weight, _ := c.Init(d)
	a.QKV = s.Param("qkv.weight", weight, 3*d, d)
	a.Proj = NewLinear(s.Sub("proj"), d, d, c.Init.Scale(c.rescale()))
	return a
}

// qkv returns the queries, keys and values of x [B, N, d] as [B, N, 3d].
func (a *Attention) qkv(c Context, x *autograd.Var) *autograd.Var {
	bias := a.QKVBias.Var(c.Tape)
	if a.QBias != nil {
		bias = autograd.Concat(0, a.QBias.Var(c.Tape), c.Tape.Zeros(a.QBias.Shape.Size()), a.VBias.Var(c.Tape))
	}
	return autograd.Linear(x, a.QKV.Var(c.Tape), bias, autograd.LinearOptions{})
}

// bias returns the sum of the shared bias (or nil) and the block's own (or nil).
func (a *Attention) bias(c Context, shared *autograd.Var) *autograd.Var {
	if a.Bias == nil {
		return shared
	}
	own := a.Bias.Forward(c)
	if shared == nil {
		return own
	}
	return autograd.Add(own, shared)
}

func (a *Attention) scale() float32 {
	return float32(1 / math.Sqrt(float64(a.QKV.Shape[1]/a.Heads)))
}

// Mix returns the output of attention before the output projection, with heads concatenated: [B, N, d] from x [B, N, d]. shared is a bias
// [H, N, N] or nil.
func (a *Attention) Mix(c Context, x, shared *autograd.Var) *autograd.Var {
	qkv := a.qkv(c, x)
	y := autograd.SelfAttention(qkv, a.Heads, a.scale(), autograd.AttentionOptions{Bias: a.bias(c, shared), Causal: a.Causal})
	qkv.Rematerialize()
	return y
}

// Weights returns the attention weights [B, H, N, N], whose rows sum to 1, for visualisation. It stores all weights and uses single
// operations, so it is slower than Mix.
func (a *Attention) Weights(c Context, x, shared *autograd.Var) *autograd.Var {
	qkv := a.qkv(c, x)
	b, n, d := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	parts := autograd.Permute(autograd.Reshape(qkv, b, n, 3, a.Heads, d/a.Heads), 2, 0, 3, 1, 4) // [3, B, H, N, d_h]
	part := func(i int) *autograd.Var {
		return autograd.Reshape(autograd.Slice(parts, 0, i, i+1), b, a.Heads, n, d/a.Heads)
	}
	logits := autograd.MatMul(autograd.Affine(part(0), a.scale(), 0), autograd.Permute(part(1), 0, 1, 3, 2))
	if bias := a.bias(c, shared); bias != nil {
		logits = autograd.Add(logits, bias)
	}
	if a.Causal {
		logits = autograd.Add(logits, c.Tape.Own(later(c.Tape.Device(), n)))
	}
	return autograd.Softmax(logits)
}

// later is [N, N]: -Inf where the key comes after the query, else 0.
func later(dev *tensor.Device, n int) *tensor.Tensor {
	bias := make([]float32, n*n)
	for query := range n {
		for key := query + 1; key < n; key++ {
			bias[query*n+key] = float32(math.Inf(-1))
		}
	}
	return tensor.FromSlice(dev, bias, n, n)
}
