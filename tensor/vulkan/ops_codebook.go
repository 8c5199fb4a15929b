//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"fmt"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// NearestCode searches for each row of z; the scores live in registers only.
func (b *backend) NearestCode(codes, z, codebook *tensor.Tensor) {
	m, d, k := z.Shape()[0], z.Shape()[1], codebook.Shape()[0]
	if m == 0 {
		return
	}
	const rows = 64 // of a workgroup, and codes that it takes at a time
	if b.refuseTurns(div(k, rows)*(27*div(d, 16)+2), fmt.Sprintf("%d codes of %d columns", k, d)) {
		return
	}
	bias := b.temp(k)
	b.dispatch(shaders.CodeBias, nil, elements(k), []uint32{u(k), u(d)}, bias, read(codebook))
	row := 2 * float64(k) * float64(d)
	b.rows(m, d, func(first, n int) {
		b.pieces(div(n, rows), rows*row, func(lo, groups int) {
			lo, n := first+lo*rows, min(groups*rows, n-lo*rows)
			b.weigh(row * float64(n))
			b.dispatch(shaders.NearestCode, nil, flat(groups), []uint32{u(n), u(k), u(d)},
				write(codes).part(lo, n), read(z).rows(lo, n, d), read(codebook), bias.read())
		})
	})
}

// CodebookEMA moves each row on its own.
func (b *backend) CodebookEMA(codebook, counts, sums *tensor.Tensor, decay float32) {
	k, d := codebook.Shape()[0], codebook.Shape()[1]
	b.rows(k, d, func(lo, n int) {
		b.dispatch(shaders.CodebookEMA, nil, flat(n), []uint32{u(n), u(d), f(decay), f(1 - decay)},
			update(codebook).rows(lo, n, d), read(counts).part(lo, n), read(sums).rows(lo, n, d))
	})
}

// CodeStats counts the codes and sums their rows, in ascending order.
func (b *backend) CodeStats(counts, sums, codes, z *tensor.Tensor) {
	k, d := sums.Shape()[0], sums.Shape()[1]
	if codes.Size() == 0 || k == 0 {
		return
	}
	g := b.segments(read(codes), codes.Size(), k, faultCodeStats)
	b.dispatch(shaders.SegmentSum, []uint32{1}, elements(k), []uint32{u(k), 1, 0, u(g.n)}, update(counts), g.rows, g.rows, g.starts)
	if d > 0 {
		b.sumSegments(sums, z, g)
	}
}
