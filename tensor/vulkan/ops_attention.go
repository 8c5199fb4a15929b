//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// attentionTile is how many rows of the other side the shaders of attention take at a time, and of their own side those with many accumulators; the
// others work on wideTile. See shaders/include/attention.glsl.
const (
	attentionTile = 32
	wideTile      = 64
)

// queryTile is how many queries a workgroup of attention.comp works on.
func (a attention) queryTile() int {
	if a.d > 64 { // more accumulators do not fit 128 registers
		return attentionTile
	}
	return wideTile
}

// attention is one attention on the device: its sizes, and what its shaders read.
type attention struct {
	b, nq, nk, h, d int
	q, kv           *tensor.Tensor
	bias, keyMask   arg
	spec            []uint32 // whether there is a bias, and a key mask, and whether it is causal
	masked          bool
}

// attentionOf makes the arguments that a shader reads; what is not there is bound to some element that is.
func attentionOf(a tensor.AttentionArgs) attention {
	x := attention{
		b: a.Q.Shape()[0], nq: a.Q.Shape()[1], nk: a.KV.Shape()[1], h: a.Heads, d: a.Q.Shape()[2] / a.Heads, q: a.Q, kv: a.KV,
		bias: read(a.Q).part(0, 1), keyMask: read(a.Q).part(0, 1), masked: a.KeyMask != nil,
	}
	if a.Bias != nil {
		x.bias = read(a.Bias)
	}
	if a.KeyMask != nil {
		x.keyMask = read(a.KeyMask)
	}
	x.spec = []uint32{word(a.Bias != nil), word(x.masked), word(a.Causal)}
	return x
}

// shared is the shared memory that the shaders take at most; see shaders/include/attention.glsl.
func (a attention) shared() int {
	most := 0
	for _, rows := range []int{attentionTile, wideTile} {
		weights, across, width, values := a.room(rows)
		most = max(most, 8*(weights+max(values*width, across*(rows/2+2))))
	}
	return most
}

// room is what a workgroup of so many rows has in shared memory: pairs of weights, and the rows of the matrix that they weigh, of so many pairs. across is how
// many invocations share a row.
func (a attention) room(rows int) (weights, across, width, values int) {
	const pairs = 16 << 10 / 8 // in the least that a driver allows
	weights, across = attentionTile*(rows/2+2), 4*threads/rows
	width, values = across*div(a.d, 2*across), 16
	for values > 1 && weights+values*width > pairs {
		values /= 2
	}
	return weights, across, width, values
}

// turns is how often the loops of an invocation turn for one tile of the other side, at most: those of so many DOTS and APPLY, and one across a row. The test
// that ends a loop counts as a turn.
func (a attention) turns(dots, applies int) int {
	_, across, _, values := a.room(attentionTile)
	steps, parts := div(a.d, 16), attentionTile/values
	return 1 + dots*(a.d+2*steps+1) + applies*(attentionTile+2*parts+1) + across + 1
}

// fits reports whether a workgroup of the device can hold a row of a head, and whether an invocation can pass over so many rows with so many DOTS and APPLY
// for a tile. If not, End says so.
func (b *backend) fits(a attention, rows, dots, applies int) bool {
	if a.shared() > b.caps.shared {
		b.refuseFor(fmt.Sprintf("heads of %d columns take %d bytes of shared memory, the driver allows %d: take more heads", a.d, a.shared(), b.caps.shared))
		return false
	}
	return !b.refuseTurns(div(rows, attentionTile)*a.turns(dots, applies), fmt.Sprintf("%d queries or keys with heads of %d columns", rows, a.d))
}

// scores is how many products of two elements the scores of a sample take.
func (a attention) scores() float64 {
	return float64(a.h) * float64(a.nq) * float64(a.nk) * float64(a.d)
}

// steps are the words of all shaders: sizes, and how far apart the rows of q and kv are.
func (a attention) steps() []uint32 {
	return []uint32{u(a.nq), u(a.nk), u(a.h), u(a.q.Strides()[1]), u(a.kv.Strides()[1])}
}

// samplesOf are n samples of q, kv or a gradient of them, from sample lo on.
func samplesOf(all arg, t *tensor.Tensor, lo, n int) arg {
	rows, step, width := t.Shape()[1], t.Strides()[1], t.Shape()[2]
	return all.part(lo*rows*step, (n*rows-1)*step+width)
}

// masks is the key mask of n samples, from sample lo on.
func (a attention) masks(lo, n int) arg {
	if !a.masked {
		return a.keyMask
	}
	return a.keyMask.rows(lo, n, a.nk)
}

// eachSample splits the batch, so that every part of q, kv and their gradients fits the range that a shader can bind, and the grid.
func (b *backend) eachSample(a attention, each func(lo, n int)) {
	b.rows(a.b, 3*max(a.nq, a.nk)*a.h*a.d, func(lo, n int) {
		for ; n > 0; lo, n = lo+b.caps.maxGroups, n-b.caps.maxGroups {
			each(lo, min(n, b.caps.maxGroups))
		}
	})
}

// Attention never holds the scores of a head: see shaders/attention.comp.
func (b *backend) Attention(args tensor.AttentionArgs) {
	if args.KV.Size() == 0 {
		b.Fill(args.Out, 0)
		b.Fill(args.LSE, -infinity)
		return
	}
	if args.Q.Size() == 0 {
		return
	}
	a := attentionOf(args)
	if !b.fits(a, a.nk, 1, 1) {
		return
	}
	spec := append([]uint32{u(a.d), u(a.queryTile())}, a.spec...)
	b.eachSample(a, func(first, n int) {
		b.pieces(n, 4*a.scores(), func(lo, n int) {
			lo += first
			b.weigh(4 * a.scores() * float64(n))
			b.dispatch(shaders.Attention, spec, cube(div(a.nq, a.queryTile()), a.h, n), append(a.steps(), f(args.Scale)),
				write(args.Out).rows(lo, n, a.nq*a.h*a.d), write(args.LSE).rows(lo, n, a.h*a.nq),
				samplesOf(read(a.q), a.q, lo, n), samplesOf(read(a.kv), a.kv, lo, n), a.bias, a.masks(lo, n))
		})
	})
}

// AttentionGrad recomputes the scores three times: for the gradient of the queries, for those of keys and values, and for that of the
// bias.
func (b *backend) AttentionGrad(args tensor.AttentionGradArgs) {
	if args.Q.Size()*args.KV.Size() == 0 {
		for _, g := range []tensor.Grad{args.DQ, args.DKV, args.DBias} {
			b.zero(g)
		}
		return
	}
	a := attentionOf(tensor.AttentionArgs{Q: args.Q, KV: args.KV, Bias: args.Bias, KeyMask: args.KeyMask, Heads: args.Heads, Causal: args.Causal})
	if !b.fits(a, max(a.nq, a.nk), 2, 2) {
		return
	}
	delta := b.temp(a.b * a.h * a.nq)
	b.eachSample(a, func(lo, n int) {
		dOut, out := read(args.DOut).rows(lo, n, a.nq*a.h*a.d), read(args.Out).rows(lo, n, a.nq*a.h*a.d)
		all := n * a.h * a.nq
		b.dispatch(shaders.AttentionDelta, nil, elements(all), []uint32{u(all), u(a.nq), u(a.h), u(a.d)}, delta.rows(lo, n, a.h*a.nq), dOut, out)
		b.pieces(n, 8*a.scores(), func(at, n int) {
			in := b.attentionInputs(a, args, delta.read(), lo+at, n)
			b.attentionGrad(shaders.AttentionGradQ, 6, a, args.DQ, args.Scale, a.nq, lo+at, n, in)
			b.attentionGrad(shaders.AttentionGradKV, 8, a, args.DKV, args.Scale, a.nk, lo+at, n, in)
		})
		if args.DBias.To != nil {
			b.attentionGradBias(a, args, delta.read(), lo, n)
		}
	})
}

// attentionGradBias adds n samples, from sample lo on, to the gradient of the bias, in order. How long that may take splits it by heads, whose
// sums stay whole. Samples are split by the shape alone, since sums in parts are rounded otherwise: a loop has a turn for each.
func (b *backend) attentionGradBias(a attention, args tensor.AttentionGradArgs, delta arg, lo, n int) {
	head := 4 * a.scores() / float64(a.h) // of one sample
	most := max(1, min(int(b.caps.maxHead/head), b.caps.allTurns()/a.turns(2, 0)))
	for end := lo + n; lo < end; lo += most {
		n := min(most, end-lo)
		b.pieces(a.h, head*float64(n), func(first, heads int) {
			in := b.attentionInputs(a, args, delta, lo, n)
			for k, step := range []int{a.d, a.d, a.d, a.nq, a.nq, a.nq * a.nk * int(a.spec[0])} { // as attentionInputs lists them
				in[k] = in[k].from(first * step)
			}
			b.weigh(head * float64(n*heads))
			b.dispatch(shaders.AttentionGradBias, slices.Concat([]uint32{u(a.d), wideTile, word(args.DBias.Add || lo > 0)}, a.spec[1:], []uint32{isBFloat16(a.q)}),
				cube(div(a.nk, attentionTile), div(a.nq, wideTile), heads), append(a.steps(), u(n), f(args.Scale)),
				append([]arg{update(args.DBias.To).part(first*a.nq*a.nk, heads*a.nq*a.nk)}, in...)...)
		})
	}
}

// attentionInputs are what the shaders of gradients read of n samples, from sample lo on.
func (b *backend) attentionInputs(a attention, args tensor.AttentionGradArgs, delta arg, lo, n int) []arg {
	return []arg{
		read(args.DOut).rows(lo, n, a.nq*a.h*a.d), samplesOf(read(a.q), a.q, lo, n), samplesOf(read(a.kv), a.kv, lo, n),
		read(args.LSE).rows(lo, n, a.h*a.nq), delta.rows(lo, n, a.h*a.nq), a.bias, a.masks(lo, n),
	}
}

// attentionGrad runs the shader of the gradient of q or of kv, which have so many rows, if it is wanted. flops is for each product of two
// elements of scores.
func (b *backend) attentionGrad(s *shaders.Shader, flops float64, a attention, g tensor.Grad, scale float32, rows, lo, n int, in []arg) {
	if g.To == nil {
		return
	}
	b.weigh(flops * a.scores() * float64(n))
	b.dispatch(s, slices.Concat([]uint32{u(a.d), attentionTile, a.spec[0], word(g.Add)}, a.spec[1:], []uint32{isBFloat16(a.q)}), cube(div(rows, attentionTile), a.h, n),
		append(a.steps(), u(g.To.Strides()[1]), f(scale)), append([]arg{samplesOf(update(g.To), g.To, lo, n)}, in...)...)
}
