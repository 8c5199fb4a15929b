package tensor

import (
	"math"

	"github.com/gobeit/gobeit/tensor/internal/kernel"
)

// attention holds the sizes of one attention and finds the parts of a head in its tensors.
type attention struct {
	*cpuBackend
	b, nq, nk, h, d int
	q, k, v         attentionRows
	bias, keyMask   []float32 // [H, NQ, NK] and [B, NK], or nil
	causal          bool
	scale           float32
	precision       kernel.Precision // of the products
}

// attentionRows are q, k or v, or a gradient of them: n rows of H·D elements in each sample, step apart.
type attentionRows struct {
	data    []float32
	n, step int
}

func rowsOf(t *Tensor, from int) attentionRows {
	r := attentionRows{n: t.shape[1], step: t.strides[1]}
	if t.Size() > 0 {
		r.data = f32s(t)[from:]
	}
	return r
}

// head returns the rows of one head, which has d columns.
func (r attentionRows) head(sample, head, d int) []float32 { return r.data[sample*r.n*r.step+head*d:] }

func (c *cpuBackend) attention(a AttentionArgs) attention {
	w := a.Q.shape[2]
	all := attention{
		cpuBackend: c, b: a.Q.shape[0], nq: a.Q.shape[1], nk: a.KV.shape[1], h: a.Heads, d: w / a.Heads,
		q: rowsOf(a.Q, 0), k: rowsOf(a.KV, 0), v: rowsOf(a.KV, w), causal: a.Causal, scale: a.Scale, precision: kernel.Precision(a.Precision),
	}
	if a.Bias != nil {
		all.bias = f32(a.Bias)
	}
	if a.KeyMask != nil {
		all.keyMask = f32(a.KeyMask)
	}
	return all
}

// band is how many queries are worked on at a time: all, so that a head is one product, or where later keys are hidden only some, which saves
// most of the products with those.
func (a *attention) band() int {
	const causalBand = 128
	if a.causal {
		return min(a.nq, causalBand)
	}
	return a.nq
}

// keys is how many keys the queries before hi can see.
func (a *attention) keys(hi int) int {
	if a.causal {
		return hi
	}
	return a.nk
}

// scaled copies q or k of one head, times scale, to dst [n, D].
func (a *attention) scaled(dst []float32, from attentionRows, sample, head int) {
	src := from.head(sample, head, a.d)
	for i := range from.n {
		a.vec.Affine(dst[i*a.d:(i+1)*a.d], src[i*from.step:i*from.step+a.d], a.scale, 0)
	}
}

// scores fills s [hi-lo, keys] with q·kᵀ + bias of one head for queries lo … hi-1, and -Inf where a key is hidden; q [NQ, D] is scaled already.
func (a *attention) scores(s, q []float32, sample, head, lo, hi int) {
	keys := a.keys(hi)
	if a.bias != nil {
		bias := a.bias[head*a.nq*a.nk:]
		if keys == a.nk {
			copy(s, bias[lo*keys:hi*keys])
		} else {
			for r := lo; r < hi; r++ {
				copy(s[(r-lo)*keys:(r-lo+1)*keys], bias[r*a.nk:])
			}
		}
	}
	a.set.MatMul(kernel.GemmArgs{
		M: hi - lo, N: keys, K: a.d,
		A: q[lo*a.d:], ARow: a.d, ACol: 1,
		B: a.k.head(sample, head, a.d), BRow: 1, BCol: a.k.step,
		C: s, CRow: keys,
		Accumulate: a.bias != nil, Precision: a.precision, Serial: true,
	})
	if a.causal {
		for r := lo; r < hi; r++ {
			fill(s[(r-lo)*keys+r+1:(r-lo+1)*keys], minusInf)
		}
	}
	if a.keyMask != nil {
		mask := a.keyMask[sample*a.nk:][:keys]
		for r := range hi - lo {
			row := s[r*keys : (r+1)*keys]
			for i, m := range mask {
				if m == 0 {
					row[i] = minusInf
				}
			}
		}
	}
}

var minusInf = float32(math.Inf(-1))

// cost is about how many elements' work one head of one sample is.
func (a *attention) cost() int { return a.nq * (a.nk + a.d) }

// Attention works on one head of one sample at a time, so that its scores stay in cache.
func (c *cpuBackend) Attention(args AttentionArgs) {
	a := c.attention(args)
	if a.b*a.nq == 0 {
		return
	}
	out, lse := f32(args.Out), f32(args.LSE)
	if a.nk == 0 {
		clear(out)
		fill(lse, minusInf)
		return
	}
	band := a.band()
	split(a.b*a.h, a.cost(), func(first, end int) {
		t, buf := scratch(args.Out, band*a.nk+a.nq*a.d+band)
		defer t.Release()
		s, q, inv := buf[:band*a.nk], buf[band*a.nk:band*a.nk+a.nq*a.d], buf[band*a.nk+a.nq*a.d:]
		normalize := func(r, _ int, p []float32) { c.vec.Affine(p, p, inv[r], 0) }
		for i := first; i < end; i++ {
			sample, head := i/a.h, i%a.h
			a.scaled(q, a.q, sample, head)
			for lo := 0; lo < a.nq; lo += band {
				hi := min(a.nq, lo+band)
				a.scores(s, q, sample, head, lo, hi)
				a.softmax(s, inv, lse[i*a.nq+lo:][:hi-lo], a.keys(hi))
				c.set.MatMul(kernel.GemmArgs{
					M: hi - lo, N: a.d, K: a.keys(hi),
					A: s, ARow: a.keys(hi), ACol: 1,
					B: a.v.head(sample, head, a.d), BRow: a.v.step, BCol: 1,
					C: out[((sample*a.nq+lo)*a.h+head)*a.d:], CRow: a.h * a.d,
					Epilogue: normalize, Precision: a.precision, Serial: true,
				})
			}
		}
	})
}

// softmax replaces each row of scores by the softmax's numerators, and sets the inverse of its denominator, and the denominator's logarithm.
// A row of hidden keys alone becomes zeros.
func (a *attention) softmax(s, inv, lse []float32, keys int) {
	for r := range lse {
		row := s[r*keys : (r+1)*keys]
		top := a.vec.MaxValue(row)
		if top == minusInf {
			clear(row)
			inv[r], lse[r] = 0, top
			continue
		}
		sum := a.vec.ExpSum(row, row, top)
		inv[r] = 1 / sum
		lse[r] = float32(float64(top) + math.Log(float64(sum)))
	}
}

// biasRuns is in how many runs of how many samples a batch is cut for the gradient of the bias. Their number bounds the memory of partial sums.
func biasRuns(batch int) (runs, length int) {
	const most = 8
	length = ceilDiv(batch, min(batch, most))
	return ceilDiv(batch, length), length
}

// AttentionGrad recomputes each head's probabilities from LSE. The gradient of the bias is summed over fixed runs of samples,
// and these sums are added in order.
func (c *cpuBackend) AttentionGrad(args AttentionGradArgs) {
	if args.Q.dtype == BFloat16 {
		args.Q, args.KV = c.widened(args.Q), c.widened(args.KV)
		defer args.Q.Release()
		defer args.KV.Release()
	}
	a := c.attention(AttentionArgs{
		Q: args.Q, KV: args.KV, Bias: args.Bias, KeyMask: args.KeyMask,
		Heads: args.Heads, Scale: args.Scale, Causal: args.Causal, Precision: args.Precision,
	})
	size := a.h * a.nq * a.nk
	if a.b == 0 || size == 0 {
		for _, g := range []Grad{args.DQ, args.DKV, args.DBias} {
			if g.To != nil && !g.Add {
				clear(f32(g.To))
			}
		}
		return
	}
	runs, length := a.b, 1
	var sums []float32
	if args.DBias.To != nil {
		runs, length = biasRuns(a.b)
		t, parts := scratch(args.DOut, runs*size)
		defer t.Release()
		sums = parts
	}
	g := attentionGrad{attention: a, args: args, dOut: f32(args.DOut), out: f32(args.Out), lse: f32(args.LSE)}
	if to := args.DQ.To; to != nil {
		g.dq = rowsOf(to, 0)
	}
	if to := args.DKV.To; to != nil {
		g.dk, g.dv = rowsOf(to, 0), rowsOf(to, a.h*a.d)
	}
	split(runs*a.h, length*a.cost(), func(lo, hi int) {
		t, buf := scratch(args.DOut, 2*a.band()*a.nk+(a.nq+a.nk)*a.d)
		defer t.Release()
		for i := lo; i < hi; i++ {
			run, head := i/a.h, i%a.h
			var sum []float32
			if sums != nil {
				sum = sums[run*size+head*a.nq*a.nk:][:a.nq*a.nk]
			}
			for sample := run * length; sample < min(a.b, (run+1)*length); sample++ {
				g.head(buf, sample, head, sum, sample == run*length)
			}
		}
	})
	if sums != nil {
		c.addRuns(args.DBias, sums, runs)
	}
}

// widened is a BFloat16 tensor [B, N, D], whose rows may stand apart, in Float32. Release it after use.
func (c *cpuBackend) widened(t *Tensor) *Tensor {
	y := newTensor(t.st.dev, "scratch", Float32, t.shape...)
	width, step := t.shape[2], t.strides[1]
	split(t.shape[0]*t.shape[1], width, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c.vec.FromBFloat16(f32(y)[i*width:(i+1)*width], u16s(t)[i*step:][:width])
		}
	})
	return y
}

// addRuns writes the sum of runs of equal length where g says, in order.
func (c *cpuBackend) addRuns(g Grad, sums []float32, runs int) {
	to, size := f32(g.To), g.To.Size()
	split(size, runs, func(lo, hi int) {
		if g.Add {
			c.vec.Add(to[lo:hi], to[lo:hi], sums[lo:hi])
		} else {
			copy(to[lo:hi], sums[lo:hi])
		}
		for r := 1; r < runs; r++ {
			c.vec.Add(to[lo:hi], to[lo:hi], sums[r*size+lo:r*size+hi])
		}
	})
}

type attentionGrad struct {
	attention
	args           AttentionGradArgs
	dOut, out, lse []float32
	dq, dk, dv     attentionRows // without data where they are not wanted
}

// head computes the gradients of one head of one sample. It adds that of its scores to sum, or with first sets sum, which may be nil. buf
// is scratch of 2·band·NK + (NQ+NK)·D. Bands go from the last, whose queries see all keys, to the first.
func (a *attentionGrad) head(buf []float32, sample, head int, sum []float32, first bool) {
	band := a.band()
	p, ds := buf[:band*a.nk], buf[band*a.nk:2*band*a.nk]
	q, k := buf[2*band*a.nk:][:a.nq*a.d], buf[2*band*a.nk+a.nq*a.d:]
	a.scaled(q, a.q, sample, head)
	if a.dq.data != nil {
		a.scaled(k, a.k, sample, head)
	}
	for lo := (a.nq - 1) / band * band; lo >= 0; lo -= band {
		a.queries(p, ds, q, k, sample, head, lo, min(a.nq, lo+band), sum, first)
	}
}

// queries is head for queries lo … hi-1.
//
// With P the probabilities: dV = Pᵀ·dO; dP = dO·Vᵀ; dS = P∘(dP − rowsum(dO∘O)); dQ = scale·dS·K; dK = scale·dSᵀ·Q.
func (a *attentionGrad) queries(p, ds, q, k []float32, sample, head, lo, hi int, sum []float32, first bool) {
	n, keys, d := hi-lo, a.keys(hi), a.d
	outAt, outRow := ((sample*a.nq+lo)*a.h+head)*d, a.h*d
	a.scores(p, q, sample, head, lo, hi)
	lse := a.lse[(sample*a.h+head)*a.nq+lo:]
	for r := range n {
		row := p[r*keys : (r+1)*keys]
		if lse[r] == minusInf {
			clear(row)
		} else {
			a.vec.ExpSum(row, row, lse[r])
		}
	}
	into := func(to attentionRows, row int, add bool, g kernel.GemmArgs) {
		if to.data == nil {
			return
		}
		g.C, g.CRow = to.head(sample, head, d)[row*to.step:], to.step
		g.Accumulate, g.Precision, g.Serial = add, a.precision, true
		a.set.MatMul(g)
	}
	addKV := a.args.DKV.Add || hi < a.nq
	into(a.dv, 0, addKV, kernel.GemmArgs{M: keys, N: d, K: n, A: p, ARow: 1, ACol: keys, B: a.dOut[outAt:], BRow: outRow, BCol: 1})
	a.set.MatMul(kernel.GemmArgs{
		M: n, N: keys, K: d,
		A: a.dOut[outAt:], ARow: outRow, ACol: 1,
		B: a.v.head(sample, head, d), BRow: 1, BCol: a.v.step,
		C: ds, CRow: keys, Precision: a.precision, Serial: true,
	})
	for r := range n {
		at := outAt + r*outRow
		delta := a.vec.Dot(a.dOut[at:at+d], a.out[at:at+d])
		row := ds[r*keys : (r+1)*keys]
		a.vec.Affine(row, row, 1, -delta)
		a.vec.Mul(row, row, p[r*keys:(r+1)*keys])
		if sum == nil {
			continue
		}
		to := sum[(lo+r)*a.nk:][:a.nk]
		if first {
			clear(to[copy(to, row):])
		} else {
			a.vec.Add(to[:keys], to[:keys], row)
		}
	}
	into(a.dq, lo, a.args.DQ.Add, kernel.GemmArgs{M: n, N: d, K: keys, A: ds, ARow: keys, ACol: 1, B: k, BRow: d, BCol: 1})
	into(a.dk, 0, addKV, kernel.GemmArgs{M: keys, N: d, K: n, A: ds, ARow: 1, ACol: keys, B: q[lo*d:], BRow: d, BCol: 1})
}
