package tensor

import (
	"math"

	"github.com/gobeit/gobeit/tensor/internal/kernel"
)

// GradNorm sums squares in float64.
func (c *cpuBackend) GradNorm(state, grads *Tensor, maxNorm float32) {
	g := f32(grads)
	norm := float32(math.Sqrt(sumRows(len(g), 1, func(lo, hi int) float64 { return c.vec.SumSquares(g[lo:hi]) })))
	out := f32(state)
	out[0], out[1], out[2] = norm, 1, 1
	if maxNorm > 0 {
		out[1] = min(1, maxNorm/(norm+1e-6))
	}
	if math.IsInf(float64(norm), 0) || math.IsNaN(float64(norm)) {
		out[2] = 0
	}
}

// AdamW updates in chunks.
func (c *cpuBackend) AdamW(p, g, m, v, state *Tensor, h AdamWHyper) {
	st := f32(state)
	if st[2] == 0 {
		return
	}
	step := kernel.AdamWStep{
		LR: h.LR, Decay: h.Decay, Beta1: h.Beta1, Beta2: h.Beta2, Eps: h.Eps,
		Correct1:  1 - math.Pow(h.Beta1, float64(h.Step)),
		Correct2:  1 - math.Pow(h.Beta2, float64(h.Step)),
		GradScale: st[1],
	}
	w, grad, m1, m2 := f32(p), f32(g), f32(m), f32(v)
	split(len(w), 4, func(lo, hi int) { c.vec.AdamW(w[lo:hi], grad[lo:hi], m1[lo:hi], m2[lo:hi], step) })
}

// SGD updates in chunks.
func (c *cpuBackend) SGD(p, g, buf, state *Tensor, h SGDHyper) {
	st := f32(state)
	if st[2] == 0 {
		return
	}
	lr, decay, momentum, factor := float32(h.LR), float32(h.Decay), float32(h.Momentum), st[1]
	w, grad, b := f32(p), f32(g), f32(buf)
	split(len(w), 4, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			d := grad[i]*factor + decay*w[i]
			if h.Step == 1 {
				b[i] = d
			} else {
				b[i] = momentum*b[i] + d
			}
			if h.Nesterov {
				d += momentum * b[i]
			} else {
				d = b[i]
			}
			w[i] -= lr * d
		}
	})
}
