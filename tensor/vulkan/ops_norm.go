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

// LayerNormGrad takes each row's gradient, and sums those of w and b over the rows, in pieces that depend on the number of rows alone.
func (b *backend) LayerNormGrad(a tensor.LayerNormGradArgs) {
	m, d := a.X.Shape()[0], a.X.Shape()[1]
	sums := (a.DW.To != nil || a.DB.To != nil) && d > 0
	if m == 0 {
		b.zero(a.DW)
		b.zero(a.DB)
		return
	}
	length := 1
	if sums {
		const run = 32
		length = min(mostTurns, max(run, div(m, 128)))
	}
	pieces := div(m, length)
	none := b.temp(1)
	parts := none
	if sums {
		parts = b.temp(pieces * 2 * d)
	}
	b.rows(pieces, length*d, func(lo, n int) {
		first, rows := lo*length, min(n*length, m-lo*length)
		to, wanted, summed := none, 0, parts
		if a.DX.To != nil {
			to, wanted = update(a.DX.To).rows(first, rows, d), rows
		}
		if sums {
			summed = parts.part(lo*2*d, n*2*d)
		} else {
			n = 0
		}
		b.dispatch(shaders.LayerNormGrad, nil, flat(wanted+div(n*d, threads)), []uint32{u(rows), u(d), word(a.DX.Add), u(wanted), u(n), u(length)},
			to, summed, read(a.DY).rows(first, rows, d), read(a.X).rows(first, rows, d), read(a.W), read(a.Mean).part(first, rows), read(a.Rstd).part(first, rows))
	})
	if sums {
		b.layerNormSums(a, parts.read(), none, pieces, d)
	}
}

// layerNormSums adds up the pieces of the gradients of w and b.
func (b *backend) layerNormSums(a tensor.LayerNormGradArgs, parts, none arg, pieces, d int) {
	var modes []uint32
	var to []arg
	for _, g := range []tensor.Grad{a.DW, a.DB} {
		mode, dst := b.destination(g, none)
		modes, to = append(modes, mode), append(to, dst)
	}
	_, length := columnPieces(pieces)
	b.dispatch(shaders.LayerNormSums, modes, flat(div(2*d, threads)), []uint32{u(d), u(pieces), u(length)}, to[0], to[1], parts)
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
