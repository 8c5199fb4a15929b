//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"fmt"

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
	if b.refuseTurns(div(k, termsEach)*turnsEach, fmt.Sprintf("%d columns", k)) {
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
	scaled := a.Gamma != nil && n > 0
	d := b.upstream(a, m, n, scaled || a.DBias.To != nil)
	if a.DBias.To != nil && !scaled {
		b.sumColumns(update(a.DBias.To), a.DBias.Add, d, m, n)
	}
	var products []product
	if a.DX.To != nil {
		products = append(products, product{
			batch: 1, m: m, n: k, k: n, c: update(a.DX.To), a: d.all, b: b.operand(a.W, a.DX.To), aRow: n, aCol: 1, bRow: k, bCol: 1, add: a.DX.Add,
			faster: b.faster(a.Precision),
		})
	}
	var g arg // of the weight, without gamma
	switch {
	case scaled:
		g = b.temp(max(1, n*k))
		products = append(products, b.weightGrad(g, false, d.unscaled, a, m, n, k))
	case a.DW.To != nil:
		products = append(products, b.weightGrad(update(a.DW.To), a.DW.Add, d.all, a, m, n, k))
	}
	b.multiply(products...)
	if scaled {
		b.layerScaleGrad(a, g, d, m, n, k)
	}
}

// weightGrad is dst (+)= dᵀ·x, d [m, n]. A small weight has too few tiles to keep a device busy, but a sum over many rows: it is cut into pieces, by sizes alone.
func (b *backend) weightGrad(dst arg, add bool, d arg, a tensor.LinearGradArgs, m, n, k int) product {
	x := dst.read().part(0, 1) // of which nothing is read
	if a.X.Size() > 0 {
		x = read(a.X)
	}
	pieces := 0
	if n*k < smallWeight {
		pieces = min(mostWeightPieces, m/weightPiece)
	}
	return product{
		batch: 1, m: n, n: k, k: m, c: dst, a: d, b: x, aRow: 1, aCol: n, bRow: k, bCol: 1, add: add, faster: b.faster(a.Precision), pieces: pieces,
	}
}

// The gradient of a weight with fewer elements than smallWeight, which is minGroups tiles of 64 by 64, is a sum of pieces of at least weightPiece rows.
const (
	smallWeight      = minGroups * 64 * 64
	weightPiece      = 512
	mostWeightPieces = 16
)

// layerScaleGrad writes the gradients of weight, bias and gamma from g = d.unscaledᵀ·x; see shaders/layer_scale_grad.comp.
func (b *backend) layerScaleGrad(a tensor.LinearGradArgs, g arg, d upstream, m, n, k int) {
	none := b.temp(1)
	var modes []uint32
	var to []arg
	for _, grad := range []tensor.Grad{a.DW, a.DBias, a.DGamma} {
		mode, dst := b.destination(grad, none)
		modes, to = append(modes, mode), append(to, dst)
	}
	var sums arg
	pieces := 1
	if len(d.parts) == 1 {
		sums, pieces = d.parts[0], int(d.parts[0].n)/n
	} else {
		sums = b.temp(n)
		b.sumColumns(sums, false, d, m, n)
	}
	bias, w := sums.read().part(0, n), none.read()
	if a.Bias != nil {
		bias = read(a.Bias)
	}
	if k > 0 {
		w = read(a.W)
	}
	b.rows(n, max(1, k), func(lo, count int) {
		b.dispatch(shaders.LayerScaleGrad, append(modes[:3:3], word(a.Bias != nil)), flat(count), []uint32{u(count), u(k), u(n), u(pieces)},
			to[0].some(lo*k, count*k), to[1].some(lo, count), to[2].some(lo, count),
			g.some(lo*k, max(1, count*k)), w.some(lo*k, count*k), read(a.Gamma).part(lo, count), bias.part(lo, count),
			sums.read().part(lo, (pieces-1)*n+count))
	})
}

// upstream is the gradient of x·wᵀ + bias [M, N], and without the factor gamma. parts are sums of columns of the latter, [pieces, N] for each part of the
// rows; where there are none, nothing has summed them yet.
type upstream struct {
	all, unscaled arg
	parts         []arg
}

// upstream is what of dy reaches x·wᵀ + bias, with sums of its columns if wanted; see shaders/linear_upstream.comp.
func (b *backend) upstream(a tensor.LinearGradArgs, m, n int, sums bool) upstream {
	dy := read(a.DY)
	if m*n == 0 || a.Pre == nil && a.Gamma == nil && a.Keep == nil {
		return upstream{all: dy, unscaled: dy}
	}
	dst := b.temp(m * n)
	d, unscaled := upstream{all: dst.read(), unscaled: dst.read()}, dst.part(0, 1) // of which nothing is written
	switch {
	case a.Gamma != nil && a.Keep != nil:
		unscaled = b.temp(m * n)
		d.unscaled = unscaled.read()
	case a.Gamma != nil:
		d.unscaled = dy
	}
	spec := []uint32{word(a.Pre != nil), word(a.Gamma != nil), word(a.Keep != nil), word(sums), 0}
	saved, gamma, keep := dy.part(0, 1), dy.part(0, 1), dy.part(0, 1)
	if a.Pre != nil {
		saved, spec[4] = read(a.Pre), isBFloat16(a.Pre)
	}
	if a.Gamma != nil {
		gamma = read(a.Gamma)
	}
	if a.Keep != nil {
		keep = read(a.Keep)
	}
	width := max(n, div(b.mostWords(), mostPieces*b.caps.maxTurns)) // so that a part has no more rows than its pieces may have turns
	b.rows(m, width, func(lo, count int) {
		pieces, length := columnPieces(count)
		parts := dst.part(0, 1)
		if sums {
			parts = b.temp(pieces * n)
			d.parts = append(d.parts, parts.read())
		}
		b.dispatch(shaders.LinearUpstream, spec, flat(div(pieces*n, threads)), []uint32{u(count), u(n), u(lo), u(samples(a.Keep, m)), u(pieces), u(length)},
			dst.rows(lo, count, n), unscaled.some(lo*n, count*n), parts, dy.rows(lo, count, n), saved.some(lo*n, count*n), gamma, keep)
	})
	return d
}

// sumColumns writes the sums over the rows of d.unscaled [m, n].
func (b *backend) sumColumns(dst arg, add bool, d upstream, m, n int) {
	if d.parts == nil {
		b.columnSums(dst, add, d.unscaled, m, n)
	}
	for i, parts := range d.parts {
		b.reduceCols(false, dst, parts, 1, int(parts.n)/n, n, 1, add || i > 0)
	}
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
