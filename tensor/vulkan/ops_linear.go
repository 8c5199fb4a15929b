//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// MatMul multiplies each pair of a batch. All precisions run in float32.
func (b *backend) MatMul(dst, x, y *tensor.Tensor, add bool, _ tensor.Precision) {
	if dst.Size() == 0 {
		return
	}
	xs, ys := x.Strides(), y.Strides()
	b.multiply(product{
		batch: dst.Shape()[0], m: dst.Shape()[1], n: dst.Shape()[2], k: x.Shape()[2], c: update(dst), a: b.operand(x, dst), b: b.operand(y, dst), add: add,
		aRow: xs[1], aCol: xs[2], bRow: ys[1], bCol: ys[2], aNext: xs[0], bNext: ys[0],
	})
}

// operand is a matrix that a product reads; one without elements is bound to the result, of which nothing is read.
func (b *backend) operand(t, dst *tensor.Tensor) arg {
	if t.Size() == 0 {
		return read(dst).part(0, 1)
	}
	return read(t)
}

// optional is a tensor that may be missing.
func optional(t *tensor.Tensor, as func(*tensor.Tensor) arg) arg {
	if t == nil {
		return arg{}
	}
	return as(t)
}

// samples is how many rows share one element of keep.
func samples(keep *tensor.Tensor, m int) int {
	if keep == nil {
		return max(1, m)
	}
	return max(1, m/max(1, keep.Size()))
}

// Linear is one product with an epilogue.
func (b *backend) Linear(a tensor.LinearArgs) {
	m, k, n := a.X.Shape()[0], a.X.Shape()[1], a.W.Shape()[0]
	if m == 0 || n == 0 {
		return
	}
	e := &epilogue{bias: optional(a.Bias, read), perSample: samples(a.Keep, m)}
	switch {
	case a.GELU:
		e.kind, e.saved = epilogueGELU, optional(a.Pre, write)
	case a.Residual != nil:
		e.kind, e.residual, e.gamma, e.keep = epilogueResidual, read(a.Residual), optional(a.Gamma, read), optional(a.Keep, read)
		e.saved = optional(a.Branch, write)
	}
	b.multiply(product{
		batch: 1, m: m, n: n, k: k, c: write(a.Y), a: b.operand(a.X, a.Y), b: b.operand(a.W, a.Y), aRow: k, aCol: 1, bRow: 1, bCol: k, epilogue: e,
	})
}

// LinearGrad first takes the upstream gradient back through what followed the product, then multiplies.
func (b *backend) LinearGrad(a tensor.LinearGradArgs) {
	m, k, n := a.X.Shape()[0], a.X.Shape()[1], a.W.Shape()[0]
	d := read(a.DY) // the gradient of x·wᵀ + bias
	if m*n > 0 {
		switch {
		case a.Pre != nil:
			d = b.upstream(a, 1, read(a.Pre), m, n)
		case a.Gamma != nil || a.Keep != nil:
			d = b.upstream(a, 2, read(a.DY), m, n)
		}
	}
	b.columnSums(a.DBias, d, m, n)
	if a.DGamma.To != nil {
		each := d
		if m*n > 0 {
			each = b.upstream(a, 3, read(a.Branch), m, n)
		}
		b.columnSums(a.DGamma, each, m, n)
	}
	if a.DX.To != nil {
		b.multiply(product{
			batch: 1, m: m, n: k, k: n, c: update(a.DX.To), a: d, b: b.operand(a.W, a.DX.To), aRow: n, aCol: 1, bRow: k, bCol: 1, add: a.DX.Add,
		})
	}
	if a.DW.To != nil {
		b.multiply(product{
			batch: 1, m: n, n: k, k: m, c: update(a.DW.To), a: d, b: b.operand(a.X, a.DW.To), aRow: 1, aCol: n, bRow: k, bCol: 1, add: a.DW.Add,
		})
	}
}

// upstream is what of dy reaches x·wᵀ + bias, or the terms of gamma's gradient; see shaders/linear_upstream.comp.
func (b *backend) upstream(a tensor.LinearGradArgs, kind uint32, saved arg, m, n int) arg {
	t := b.temp(m * n)
	perSample := samples(a.Keep, m)
	gamma, keep := read(a.DY).part(0, 1), read(a.DY).part(0, 1)
	if a.Gamma != nil {
		gamma = read(a.Gamma)
	}
	if a.Keep != nil {
		keep = read(a.Keep)
	}
	b.rows(m, n, func(lo, count int) {
		b.dispatch(shaders.LinearUpstream, []uint32{kind, word(a.Gamma != nil), word(a.Keep != nil)}, elements(count*n),
			[]uint32{u(count * n), u(n), u(lo), u(perSample)},
			t.rows(lo, count, n), read(a.DY).rows(lo, count, n), saved.rows(lo, count, n), gamma, keep)
	})
	return t.read()
}

// columnSums writes the sums over the m rows of x [m, n] to a gradient.
func (b *backend) columnSums(g tensor.Grad, x arg, m, n int) {
	if g.To == nil {
		return
	}
	if m == 0 {
		b.zero(g)
		return
	}
	b.rows(m, n, func(lo, count int) {
		b.reduceCols(false, update(g.To), x.rows(lo, count, n), 1, count, n, 1, g.Add || lo > 0)
	})
}
