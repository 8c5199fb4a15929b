package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// attentions are those of a block of the preset small32 and of a ViT-B, with a bias for each pair of tokens, forward and backward. FLOPs count
// the matmuls alone: two forward; backward those of the four gradients, and that of the scores, which are computed again.
func attentions(dev *tensor.Device) []Case {
	var all []Case
	for _, s := range []struct{ batch, tokens, heads, dim int }{{128, 65, 3, 64}, {8, 197, 12, 64}} {
		product := 2 * float64(s.batch*s.heads) * float64(s.tokens*s.tokens) * float64(s.dim)
		for _, pass := range []struct {
			name, op string
			products float64
		}{{"forward", "Attention", 2}, {"backward", "AttentionGrad", 5}} {
			for _, p := range precisions(dev, pass.op) {
				all = append(all, Case{
					Benchmark: Attention, Precision: p, FLOPs: pass.products * product,
					Params: fmt.Sprintf("pass=%s/batch=%d/tokens=%d/heads=%d/dim=%d/precision=%s", pass.name, s.batch, s.tokens, s.heads, s.dim, p),
					Setup: func() (run, release func()) {
						forward, backward, release := attention(dev, s.batch, s.tokens, s.heads, s.dim, p)
						if pass.op == "Attention" {
							return forward, release
						}
						forward()
						return backward, release
					},
				})
			}
		}
	}
	return all
}

// attention returns the two passes of B sequences of N tokens with H heads of D dimensions.
func attention(dev *tensor.Device, b, n, h, d int, p tensor.Precision) (forward, backward, release func()) {
	qkv, bias, dOut := random(dev, 1, b, n, 3*h*d), random(dev, 2, h, n, n), random(dev, 3, b, n, h*d)
	out, lse := tensor.New(dev, b, n, h*d), tensor.New(dev, b, h, n)
	dQKV, dBias := tensor.New(dev, b, n, 3*h*d), tensor.New(dev, h, n, n)
	const scale = 0.125 // 1/sqrt(64)
	forward = func() {
		tensor.Attention(tensor.AttentionArgs{Out: out, LSE: lse, QKV: qkv, Bias: bias, Heads: h, Scale: scale, Precision: p})
	}
	backward = func() {
		tensor.AttentionGrad(tensor.AttentionGradArgs{
			DQKV: tensor.Grad{To: dQKV}, DBias: tensor.Grad{To: dBias}, DOut: dOut, Out: out, LSE: lse,
			QKV: qkv, Bias: bias, Heads: h, Scale: scale, Precision: p,
		})
	}
	return forward, backward, free(qkv, bias, dOut, out, lse, dQKV, dBias)
}
