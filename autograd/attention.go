package autograd

import "github.com/gobeit/gobeit/tensor"

// The places of Attention's inputs.
const attentionQKV, attentionBias = 0, 1

var attentionRule = newRule(rule{
	name: "Attention",
	grad: func(n *node, dy *tensor.Tensor) {
		f := n.attr.(tensor.AttentionArgs)
		tensor.AttentionGrad(tensor.AttentionGradArgs{
			DQKV: n.dest(attentionQKV), DBias: n.dest(attentionBias),
			DOut: dy, Out: n.out.value, LSE: f.LSE, QKV: n.in[attentionQKV].value, Bias: n.in[attentionBias].tensor(),
			Heads: f.Heads, Scale: f.Scale, Precision: f.Precision,
		})
	},
	readsOutput: always,
})

// Attention returns softmax(scale·q·kᵀ + bias)·v for each head, as [B, N, H·D], at the tape's precision. qkv is [B, N, 3·H·D], and bias
// [H, N, N] or nil.
func Attention(qkv, bias *Var, heads int, scale float32) *Var {
	t := begin("Attention", "qkv", qkv)
	t.with("Attention", bias)
	f := tensor.Attention(tensor.AttentionArgs{
		QKV: qkv.value, Bias: bias.tensor(), Heads: heads, Scale: scale, Precision: t.Precision,
	})
	return t.result(attentionRule, f.Out, f, []*tensor.Tensor{f.LSE}, []*Var{attentionQKV: qkv, attentionBias: bias}...)
}
