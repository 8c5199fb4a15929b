//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

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
	}
	b.multiply(product{
		batch: 1, m: m, n: n, k: k, c: write(a.Y), a: b.operand(a.X, a.Y), b: b.operand(a.W, a.Y), aRow: k, aCol: 1, bRow: 1, bCol: k, epilogue: e,
		faster: b.faster(a.Precision),
	})
}

// LinearGrad first takes the upstream gradient back through what followed the product, then multiplies.
func (b *backend) LinearGrad(a tensor.LinearGradArgs) {
	m, k, n := a.X.Shape()[0], a.X.Shape()[1], a.W.Shape()[0]
	if a.Gamma != nil && n > 0 {
		b.layerScaleGrad(a, m, n, k)
		a.DW, a.DBias = tensor.Grad{}, tensor.Grad{}
	}
	d := read(a.DY) // the gradient of x·wᵀ + bias
	if m*n > 0 && (a.Pre != nil || a.Gamma != nil || a.Keep != nil) {
		d = b.upstream(a, m, n)
	}
	if a.DBias.To != nil {
		b.columnSums(update(a.DBias.To), a.DBias.Add, d, m, n)
	}
	if a.DX.To != nil {
		b.multiply(product{
			batch: 1, m: m, n: k, k: n, c: update(a.DX.To), a: d, b: b.operand(a.W, a.DX.To), aRow: n, aCol: 1, bRow: k, bCol: 1, add: a.DX.Add,
			faster: b.faster(a.Precision),
		})
	}
	if a.DW.To != nil {
		b.weightGrad(update(a.DW.To), a.DW.Add, d, a, m, n, k)
	}
}

// weightGrad is dst (+)= dᵀ·x, d [m, n].
func (b *backend) weightGrad(dst arg, add bool, d arg, a tensor.LinearGradArgs, m, n, k int) {
	x := dst.read().part(0, 1) // of which nothing is read
	if a.X.Size() > 0 {
		x = read(a.X)
	}
	b.multiply(product{batch: 1, m: n, n: k, k: m, c: dst, a: d, b: x, aRow: 1, aCol: n, bRow: k, bCol: 1, add: add, faster: b.faster(a.Precision)})
}

// layerScaleGrad writes the gradients of weight, bias and gamma; see shaders/layer_scale_grad.comp.
func (b *backend) layerScaleGrad(a tensor.LinearGradArgs, m, n, k int) {
	d := read(a.DY)
	if m*n > 0 && a.Keep != nil {
		unscaled := a
		unscaled.Gamma = nil
		d = b.upstream(unscaled, m, n)
	}
	sums, g, none := b.temp(n), b.temp(max(1, n*k)), b.temp(1)
	b.columnSums(sums, false, d, m, n)
	b.weightGrad(g, false, d, a, m, n, k)
	var modes []uint32
	var to []arg
	for _, grad := range []tensor.Grad{a.DW, a.DBias, a.DGamma} {
		switch {
		case grad.To == nil || grad.To.Size() == 0:
			modes, to = append(modes, 0), append(to, none)
		case grad.Add:
			modes, to = append(modes, 2), append(to, update(grad.To))
		default:
			modes, to = append(modes, 1), append(to, update(grad.To))
		}
	}
	bias, w := sums.read(), none.read()
	if a.Bias != nil {
		bias = read(a.Bias)
	}
	if k > 0 {
		w = read(a.W)
	}
	some := func(x arg, lo, n int) arg { // a part of what is there
		if x.n == 1 {
			return x
		}
		return x.part(lo, n)
	}
	b.rows(n, max(1, k), func(lo, count int) {
		b.dispatch(shaders.LayerScaleGrad, append(modes[:3:3], word(a.Bias != nil)), flat(count), []uint32{u(count), u(k)},
			some(to[0], lo*k, count*k), some(to[1], lo, count), some(to[2], lo, count),
			some(g, lo*k, max(1, count*k)), some(w, lo*k, count*k), read(a.Gamma).part(lo, count), bias.part(lo, count), sums.read().part(lo, count))
	})
}

// upstream is what of dy reaches x·wᵀ + bias; see shaders/linear_upstream.comp.
func (b *backend) upstream(a tensor.LinearGradArgs, m, n int) arg {
	t := b.temp(m * n)
	perSample := samples(a.Keep, m)
	saved, gamma, keep := read(a.DY), read(a.DY).part(0, 1), read(a.DY).part(0, 1)
	if a.Pre != nil {
		saved = read(a.Pre)
	}
	if a.Gamma != nil {
		gamma = read(a.Gamma)
	}
	if a.Keep != nil {
		keep = read(a.Keep)
	}
	b.rows(m, n, func(lo, count int) {
		b.dispatch(shaders.LinearUpstream, []uint32{word(a.Pre != nil), word(a.Gamma != nil), word(a.Keep != nil)}, elements(count*n),
			[]uint32{u(count * n), u(n), u(lo), u(perSample)},
			t.rows(lo, count, n), read(a.DY).rows(lo, count, n), saved.rows(lo, count, n), gamma, keep)
	})
	return t.read()
}

// columnSums writes the sums over the m rows of x [m, n].
func (b *backend) columnSums(dst arg, add bool, x arg, m, n int) {
	if m == 0 {
		if !add {
			b.dispatch(shaders.Fill, nil, elements(n), []uint32{u(n), f(0)}, dst)
		}
		return
	}
	b.rows(m, n, func(lo, count int) {
		b.reduceCols(false, dst, x.rows(lo, count, n), 1, count, n, 1, add || lo > 0)
	})
}
