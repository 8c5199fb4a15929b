//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"math"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// GradNorm sums squares of pieces, then the pieces.
func (b *backend) GradNorm(state, grads *tensor.Tensor, maxNorm float32) {
	const length = 1 << 14
	n := grads.Size()
	pieces := div(n, length)
	parts := b.temp(max(1, 2*pieces))
	b.chunks(n, length, func(lo, n int) {
		count := div(n, length)
		b.dispatch(shaders.GradNorm, nil, flat(count), []uint32{u(n), length}, parts.part(2*(lo/length), 2*count), read(grads).part(lo, n))
	})
	b.dispatch(shaders.GradState, nil, flat(1), []uint32{u(pieces), f(maxNorm)}, write(state), parts.read())
}

// AdamW updates in chunks.
func (b *backend) AdamW(p, g, m, v, state *tensor.Tensor, h tensor.AdamWHyper) {
	correct1, correct2 := 1-math.Pow(h.Beta1, float64(h.Step)), 1-math.Pow(h.Beta2, float64(h.Step))
	var scalars []uint32
	for _, x := range []float64{h.Beta1, 1 - h.Beta1, h.Beta2, 1 - h.Beta2, 1 - h.LR*h.Decay, h.LR / correct1, 1 / math.Sqrt(correct2), h.Eps} {
		scalars = append(scalars, f(float32(x)))
	}
	b.chunks(p.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.AdamW, nil, elements(n), append([]uint32{u(n)}, scalars...),
			update(p).part(lo, n), read(g).part(lo, n), update(m).part(lo, n), update(v).part(lo, n), read(state))
	})
}

// SGD updates in chunks.
func (b *backend) SGD(p, g, buf, state *tensor.Tensor, h tensor.SGDHyper) {
	b.chunks(p.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.SGD, nil, elements(n),
			[]uint32{u(n), word(h.Step == 1), word(h.Nesterov), f(float32(h.LR)), f(float32(h.Decay)), f(float32(h.Momentum))},
			update(p).part(lo, n), read(g).part(lo, n), update(buf).part(lo, n), read(state))
	})
}
