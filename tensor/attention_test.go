package tensor

import "testing"

func TestAttentionRefusesWhatDoesNotFit(t *testing.T) {
	dev := CPU()
	q, kv, qkv := Zeros(dev, 2, 3, 4), Zeros(dev, 2, 5, 8), Zeros(dev, 2, 3, 12)
	out, lse := Zeros(dev, 2, 3, 4), Zeros(dev, 2, 2, 3)
	grad := func(a AttentionGradArgs) func() {
		a.DOut, a.Out, a.LSE, a.Heads = out, out, lse, 2
		return func() { AttentionGrad(a) }
	}
	for want, f := range map[string]func(){
		"tensor: Attention: [2 3 12] x [2 3 4] x []: qkv excludes q and kv":                       func() { Attention(AttentionArgs{QKV: qkv, Q: q, Heads: 2}) },
		"tensor: Attention: [2 3 12] x [5]: want qkv [B, N, 3·H·D]":                               func() { Attention(AttentionArgs{QKV: qkv, Heads: 5}) },
		"tensor: Attention: [2 3 0] x [2]: want qkv [B, N, 3·H·D]":                                func() { Attention(AttentionArgs{QKV: Zeros(dev, 2, 3, 0), Heads: 2}) },
		"tensor: Attention: [2 3 4] x [2 3 4] x [2]: want q [B, NQ, H·D] and kv [B, NK, 2·H·D]":   func() { Attention(AttentionArgs{Q: q, KV: q, Heads: 2}) },
		"tensor: Attention: [2 3 4] x [2 5 8] x [2 3 3]: want bias [H, NQ, NK]":                   func() { Attention(AttentionArgs{Q: q, KV: kv, Heads: 2, Bias: Zeros(dev, 2, 3, 3)}) },
		"tensor: Attention: [2 3 4] x [2 5 8] x [2 3]: want a key mask [B, NK]":                   func() { Attention(AttentionArgs{Q: q, KV: kv, Heads: 2, KeyMask: Zeros(dev, 2, 3)}) },
		"tensor: Attention: [2 3 4] x [2 5 8]: causal, but not as many keys as queries":           func() { Attention(AttentionArgs{Q: q, KV: kv, Heads: 2, Causal: true}) },
		"tensor: Attention: [2 3 12]: dtype is int32, want float32":                               func() { Attention(AttentionArgs{QKV: NewOf(dev, Int32, 2, 3, 12), Heads: 2}) },
		"tensor: AttentionGrad: [2 3 12] x [2 3 4]: the result shares memory with an input":       grad(AttentionGradArgs{QKV: qkv, DQKV: Grad{To: qkv}}),
		"tensor: AttentionGrad: [2 3 4] x [2 3 4]: the result shares memory with an input":        grad(AttentionGradArgs{Q: q, KV: kv, DQ: Grad{To: q}}),
		"tensor: AttentionGrad: [2 3 4] x [80]: dkv has 24 elements, want 80":                     grad(AttentionGradArgs{Q: q, KV: kv, DKV: Grad{To: Zeros(dev, 2, 3, 4)}}),
		"tensor: AttentionGrad: [2 3 3] x [2 3 4] x [2 3 8]: dbias goes with bias":                grad(AttentionGradArgs{Q: q, KV: Zeros(dev, 2, 3, 8), DBias: Grad{To: Zeros(dev, 2, 3, 3)}}),
		"tensor: AttentionGrad: [72] x [2 3 4] x [2 3 8]: dqkv goes with qkv, without dq and dkv": grad(AttentionGradArgs{Q: q, KV: Zeros(dev, 2, 3, 8), DQKV: Grad{To: Zeros(dev, 72)}}),
	} {
		if got := recovered(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
