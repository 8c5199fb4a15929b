package autograd

import "github.com/gobeit/gobeit/tensor"

// Attention returns softmax(scale·q·kᵀ + bias)·v for each head, as [B, N, H·D], at the tape's precision. qkv is [B, N, 3·H·D], and bias
// [H, N, N] or nil.
func Attention(qkv, bias *Var, heads int, scale float32) *Var {
	t := begin("Attention", "qkv", qkv)
	t.with("Attention", bias)
	f := tensor.Attention(tensor.AttentionArgs{
		QKV: qkv.value, Bias: bias.tensor(), Heads: heads, Scale: scale, Precision: t.Precision,
	})
	return t.result(kAttention, f.Out, f, []*tensor.Tensor{f.LSE}, []*Var{attentionQKV: qkv, attentionBias: bias}...)
}
