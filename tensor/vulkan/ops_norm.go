//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// LayerNorm normalises each row.
func (b *backend) LayerNorm(a tensor.LayerNormArgs) {
	m, d := a.X.Shape()[0], a.X.Shape()[1]
	b.rows(m, d, func(lo, n int) {
		b.dispatch(shaders.LayerNorm, nil, flat(n), []uint32{u(n), u(d), f(a.Eps)},
			write(a.Y).rows(lo, n, d), write(a.Mean).part(lo, n), write(a.Rstd).part(lo, n), read(a.X).rows(lo, n, d), read(a.W), read(a.B))
	})
}

// LayerNormGrad takes each row's gradient and sums those of w and b over the rows, in pieces that depend on the number of rows alone.
func (b *backend) LayerNormGrad(a tensor.LayerNormGradArgs) {
	m, d := a.X.Shape()[0], a.X.Shape()[1]
	if a.DX.To != nil {
		b.rows(m, d, func(lo, n int) {
			b.dispatch(shaders.LayerNormGrad, nil, flat(n), []uint32{u(n), u(d), word(a.DX.Add)},
				update(a.DX.To).rows(lo, n, d), read(a.DY).rows(lo, n, d), read(a.X).rows(lo, n, d), read(a.W), read(a.Mean).part(lo, n), read(a.Rstd).part(lo, n))
		})
	}
	if a.DW.To == nil && a.DB.To == nil || d == 0 {
		return
	}
	if m == 0 {
		b.zero(a.DW)
		b.zero(a.DB)
		return
	}
	const run = 32
	length := max(run, div(m, 128))
	pieces := div(m, length)
	parts := b.temp(pieces * 2 * d)
	b.rows(pieces, length*d, func(lo, n int) {
		first, rows := lo*length, min(n*length, m-lo*length)
		b.dispatch(shaders.LayerNormParam, nil, flat(div(n*d, threads)), []uint32{u(rows), u(d), u(n), u(length)},
			parts.part(lo*2*d, n*2*d), read(a.DY).rows(first, rows, d), read(a.X).rows(first, rows, d), read(a.Mean).part(first, rows), read(a.Rstd).part(first, rows))
	})
	sums := b.temp(2 * d)
	b.reduceCols(false, sums, parts.read(), 1, pieces, 2*d, 1, false)
	b.store(a.DW, sums.part(0, d).read())
	b.store(a.DB, sums.part(d, d).read())
}

// L2Normalize divides each row by its norm.
func (b *backend) L2Normalize(y, norm, x *tensor.Tensor, eps float32) {
	m, d := x.Shape()[0], x.Shape()[1]
	if d == 0 {
		b.Fill(norm, 0)
	}
	b.rows(m, d, func(lo, n int) {
		b.dispatch(shaders.L2Norm, nil, flat(n), []uint32{u(n), u(d), f(eps)}, write(y).rows(lo, n, d), write(norm).part(lo, n), read(x).rows(lo, n, d))
	})
}

// L2NormalizeGrad takes each row's gradient.
func (b *backend) L2NormalizeGrad(dx, dy, y, norm *tensor.Tensor, eps float32) {
	m, d := y.Shape()[0], y.Shape()[1]
	b.rows(m, d, func(lo, n int) {
		b.dispatch(shaders.L2NormGrad, nil, flat(n), []uint32{u(n), u(d), f(eps)},
			write(dx).rows(lo, n, d), read(dy).rows(lo, n, d), read(y).rows(lo, n, d), read(norm).part(lo, n))
	})
}
