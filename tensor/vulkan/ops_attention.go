//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// attentionTile is how many queries or keys a workgroup works on; see shaders/include/attention.glsl.
const attentionTile = 32

// attention holds the sizes of one attention.
type attention struct{ b, n, h, d int }

func sizes(qkv *tensor.Tensor, heads int) attention {
	return attention{b: qkv.Shape()[0], n: qkv.Shape()[1], h: heads, d: qkv.Shape()[2] / (3 * heads)}
}

// width is that of a row of qkv.
func (a attention) width() int { return 3 * a.h * a.d }

// scores is how many products of two elements the scores of a sample take.
func (a attention) scores() float64 { return float64(a.h) * float64(a.n) * float64(a.n) * float64(a.d) }

// eachSample splits the batch, so that every part of qkv fits the range that a shader can bind, and the grid.
func (b *backend) eachSample(a attention, each func(lo, n int)) {
	b.rows(a.b, a.n*a.width(), func(lo, n int) {
		for ; n > 0; lo, n = lo+b.caps.maxGroups, n-b.caps.maxGroups {
			each(lo, min(n, b.caps.maxGroups))
		}
	})
}

// Attention never holds the scores of a head: see shaders/attention.comp.
func (b *backend) Attention(args tensor.AttentionArgs) {
	a := sizes(args.QKV, args.Heads)
	bias := read(args.QKV).part(0, 1)
	if args.Bias != nil {
		bias = read(args.Bias)
	}
	b.eachSample(a, func(first, n int) {
		b.pieces(n, 4*a.scores(), func(lo, n int) {
			lo += first
			b.weigh(4 * a.scores() * float64(n))
			b.dispatch(shaders.Attention, []uint32{u(a.d), word(args.Bias != nil)}, cube(div(a.n, attentionTile), a.h, n),
				[]uint32{u(a.n), u(a.h), f(args.Scale)},
				write(args.Out).rows(lo, n, a.n*a.h*a.d), write(args.LSE).rows(lo, n, a.h*a.n), read(args.QKV).rows(lo, n, a.n*a.width()), bias)
		})
	})
}

// AttentionGrad recomputes the scores three times: for the gradient of the queries, for those of keys and values, and for that of the
// bias. The gradient of the bias is summed over the samples in order. It is not summed in pieces, because their number depends on time.
func (b *backend) AttentionGrad(args tensor.AttentionGradArgs) {
	a := sizes(args.QKV, args.Heads)
	if a.b*a.n*a.d == 0 {
		b.zero(args.DBias)
		return
	}
	bias := read(args.QKV).part(0, 1)
	if args.Bias != nil {
		bias = read(args.Bias)
	}
	delta := b.temp(a.b * a.h * a.n)
	across := div(a.n, attentionTile)
	b.eachSample(a, func(lo, n int) {
		dOut, out := read(args.DOut).rows(lo, n, a.n*a.h*a.d), read(args.Out).rows(lo, n, a.n*a.h*a.d)
		qkv, lse, del := read(args.QKV).rows(lo, n, a.n*a.width()), read(args.LSE).rows(lo, n, a.h*a.n), delta.rows(lo, n, a.h*a.n)
		b.dispatch(shaders.AttentionDelta, nil, elements(n*a.h*a.n), []uint32{u(n * a.h * a.n), u(a.n), u(a.h), u(a.d)}, del, dOut, out)
		del = del.read()
		if args.DQKV.To != nil {
			spec, push := []uint32{u(a.d), word(args.Bias != nil), word(args.DQKV.Add)}, []uint32{u(a.n), u(a.h), f(args.Scale)}
			b.pieces(n, 8*a.scores(), func(at, n int) {
				to := update(args.DQKV.To).rows(lo+at, n, a.n*a.width())
				in := []arg{to, dOut.rows(at, n, a.n*a.h*a.d), qkv.rows(at, n, a.n*a.width()), lse.rows(at, n, a.h*a.n), del.rows(at, n, a.h*a.n), bias}
				b.weigh(6 * a.scores() * float64(n))
				b.dispatch(shaders.AttentionGradQ, spec, cube(across, a.h, n), push, in...)
				b.weigh(8 * a.scores() * float64(n))
				b.dispatch(shaders.AttentionGradKV, spec, cube(across, a.h, n), push, in...)
			})
		}
		if args.DBias.To != nil {
			b.weigh(4 * a.scores() * float64(n))
			b.dispatch(shaders.AttentionGradBias, []uint32{u(a.d), word(args.DBias.Add || lo > 0)}, cube(across, across, a.h),
				[]uint32{u(a.n), u(a.h), u(n), f(args.Scale)}, update(args.DBias.To), dOut, qkv, lse, del, bias)
		}
	})
}
