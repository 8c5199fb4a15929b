package tensor

import (
	"math"

	"github.com/gobeit/gobeit/tensor/internal/kernel"
)

// attention holds the sizes of one attention and finds the parts of a head in its tensors.
type attention struct {
	*cpuBackend
	b, n, h, d int
	qkv, bias  []float32 // bias is nil or [H, N, N]
	scale      float32
	precision  kernel.Precision // of the products
}

func (c *cpuBackend) attention(qkv, bias *Tensor, heads int, scale float32, p Precision) attention {
	a := attention{
		cpuBackend: c, b: qkv.shape[0], n: qkv.shape[1], h: heads, d: qkv.shape[2] / (3 * heads),
		qkv: f32(qkv), scale: scale, precision: kernel.Precision(p),
	}
	if bias != nil {
		a.bias = f32(bias)
	}
	return a
}

// width is that of a row of qkv.
func (a *attention) width() int { return 3 * a.h * a.d }

// part returns q, k or v (0, 1 or 2) of one head in t, laid out like qkv: N rows of D, width apart.
func (a *attention) part(t []float32, sample, head, which int) []float32 {
	return t[sample*a.n*a.width()+(which*a.h+head)*a.d:]
}

// scaled copies q or k of one head, times scale, to dst [N, D].
func (a *attention) scaled(dst []float32, sample, head, which int) {
	src := a.part(a.qkv, sample, head, which)
	for i := range a.n {
		a.vec.Affine(dst[i*a.d:(i+1)*a.d], src[i*a.width():i*a.width()+a.d], a.scale, 0)
	}
}

// scores fills s [N, N] with q·kᵀ + bias of one head; q [N, D] is scaled already.
func (a *attention) scores(s, q []float32, sample, head int) {
	if a.bias != nil {
		copy(s, a.bias[head*a.n*a.n:(head+1)*a.n*a.n])
	}
	a.set.MatMul(kernel.GemmArgs{
		M: a.n, N: a.n, K: a.d,
		A: q, ARow: a.d, ACol: 1,
		B: a.part(a.qkv, sample, head, 1), BRow: 1, BCol: a.width(),
		C: s, CRow: a.n,
		Accumulate: a.bias != nil, Precision: a.precision, Serial: true,
	})
}

// cost is about how many elements' work one head of one sample is.
func (a *attention) cost() int { return a.n * (a.n + a.d) }

// Attention works on one head of one sample at a time, so that its N x N scores stay in cache.
func (c *cpuBackend) Attention(args AttentionArgs) {
	a := c.attention(args.QKV, args.Bias, args.Heads, args.Scale, args.Precision)
	if a.n == 0 {
		return
	}
	out, lse := f32(args.Out), f32(args.LSE)
	n, d := a.n, a.d
	split(a.b*a.h, a.cost(), func(lo, hi int) {
		t, buf := scratch(args.Out, n*n+n*d+n)
		defer t.Release()
		s, q, inv := buf[:n*n], buf[n*n:n*n+n*d], buf[n*n+n*d:]
		normalize := func(r, _ int, p []float32) { c.vec.Affine(p, p, inv[r], 0) }
		for i := lo; i < hi; i++ {
			sample, head := i/a.h, i%a.h
			a.scaled(q, sample, head, 0)
			a.scores(s, q, sample, head)
			for r := range n {
				row := s[r*n : (r+1)*n]
				top := c.vec.MaxValue(row)
				sum := c.vec.ExpSum(row, row, top)
				inv[r] = 1 / sum
				lse[i*n+r] = float32(float64(top) + math.Log(float64(sum)))
			}
			c.set.MatMul(kernel.GemmArgs{
				M: n, N: d, K: n,
				A: s, ARow: n, ACol: 1,
				B: a.part(a.qkv, sample, head, 2), BRow: a.width(), BCol: 1,
				C: out[(sample*n*a.h+head)*d:], CRow: a.h * d,
				Epilogue: normalize, Precision: a.precision, Serial: true,
			})
		}
	})
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
	a := c.attention(args.QKV, args.Bias, args.Heads, args.Scale, args.Precision)
	size := a.h * a.n * a.n
	if a.b == 0 || size == 0 {
		if args.DBias.To != nil && !args.DBias.Add {
			c.Fill(args.DBias.To, 0)
		}
		return
	}
	runs, length := a.b, 1
	if args.DBias.To != nil {
		runs, length = biasRuns(a.b)
	}
	var sums []float32
	if args.DBias.To != nil {
		t, parts := scratch(args.DOut, runs*size)
		defer t.Release()
		sums = parts
	}
	g := attentionGrad{attention: a, args: args, dOut: f32(args.DOut), out: f32(args.Out), lse: f32(args.LSE)}
	split(runs*a.h, length*a.cost(), func(lo, hi int) {
		t, buf := scratch(args.DOut, 2*a.n*(a.n+a.d))
		defer t.Release()
		for i := lo; i < hi; i++ {
			run, head := i/a.h, i%a.h
			var sum []float32
			if sums != nil {
				sum = sums[run*size+head*a.n*a.n:][:a.n*a.n]
			}
			for sample := run * length; sample < min(a.b, (run+1)*length); sample++ {
				g.head(buf, sample, head, sum, sample == run*length)
			}
		}
	})
	if sums == nil {
		return
	}
	to := f32(args.DBias.To)
	split(size, runs, func(lo, hi int) {
		if args.DBias.Add {
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
}

// head computes the gradients of one head of one sample. It adds that of its scores to sum, or with first sets sum, which may be nil. buf
// is scratch of 2·N·(N+D).
//
// With P the probabilities: dV = Pᵀ·dO; dP = dO·Vᵀ; dS = P∘(dP − rowsum(dO∘O)); dQ = scale·dS·K; dK = scale·dSᵀ·Q.
func (a *attentionGrad) head(buf []float32, sample, head int, sum []float32, first bool) {
	n, d := a.n, a.d
	p, ds := buf[:n*n], buf[n*n:2*n*n]
	q, k := buf[2*n*n:2*n*n+n*d], buf[2*n*n+n*d:]
	a.scaled(q, sample, head, 0)
	a.scores(p, q, sample, head)
	outAt, outRow := (sample*n*a.h+head)*d, a.h*d
	lse := a.lse[(sample*a.h+head)*n:]
	for r := range n {
		row := p[r*n : (r+1)*n]
		a.vec.ExpSum(row, row, lse[r])
	}
	into := func(which int, g kernel.GemmArgs) {
		g.C, g.CRow = a.part(f32(a.args.DQKV.To), sample, head, which), a.width()
		g.Accumulate, g.Precision, g.Serial = a.args.DQKV.Add, a.precision, true
		a.set.MatMul(g)
	}
	if a.args.DQKV.To != nil {
		into(2, kernel.GemmArgs{M: n, N: d, K: n, A: p, ARow: 1, ACol: n, B: a.dOut[outAt:], BRow: outRow, BCol: 1})
	}
	a.set.MatMul(kernel.GemmArgs{
		M: n, N: n, K: d,
		A: a.dOut[outAt:], ARow: outRow, ACol: 1,
		B: a.part(a.qkv, sample, head, 2), BRow: 1, BCol: a.width(),
		C: ds, CRow: n, Precision: a.precision, Serial: true,
	})
	for r := range n {
		at := outAt + r*outRow
		delta := a.vec.Dot(a.dOut[at:at+d], a.out[at:at+d])
		row := ds[r*n : (r+1)*n]
		a.vec.Affine(row, row, 1, -delta)
		a.vec.Mul(row, row, p[r*n:(r+1)*n])
	}
	switch {
	case sum == nil:
	case first:
		copy(sum, ds)
	default:
		a.vec.Add(sum, sum, ds)
	}
	if a.args.DQKV.To != nil {
		a.scaled(k, sample, head, 1)
		into(0, kernel.GemmArgs{M: n, N: d, K: n, A: ds, ARow: n, ACol: 1, B: k, BRow: d, BCol: 1})
		into(1, kernel.GemmArgs{M: n, N: d, K: n, A: ds, ARow: 1, ACol: n, B: q, BRow: d, BCol: 1})
	}
}
