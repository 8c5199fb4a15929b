//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"math/bits"

	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// GatherRows copies rows. An index outside src is a fault, and gives a row of zeros.
func (b *backend) GatherRows(dst, src, index *tensor.Tensor) {
	r, d, s := dst.Shape()[0], dst.Shape()[1], src.Shape()[0]
	if s == 0 {
		return
	}
	b.rows(r, d, func(lo, n int) {
		b.dispatch(shaders.GatherRows, nil, elements(n*d), []uint32{u(n * d), u(d), u(s)},
			write(dst).rows(lo, n, d), read(src), read(index).part(lo, n), b.fault())
	})
}

// ScatterAddRows adds rows in ascending order. An index outside dst is a fault, and its row is left out.
func (b *backend) ScatterAddRows(dst, src, index *tensor.Tensor) {
	s, d := dst.Shape()[0], dst.Shape()[1]
	if index.Size() == 0 || d == 0 || s == 0 {
		return
	}
	g := b.segments(read(index), index.Size(), s, faultScatter)
	b.sumSegments(dst, src, g)
}

// sumSegments adds to row k of dst the rows of src that have key k. One key may have them all, and a loop has a turn for each: where the driver ends loops,
// parts of the rows follow one another, with the same sums.
func (b *backend) sumSegments(dst, src *tensor.Tensor, g segments) {
	s, d, most := dst.Shape()[0], dst.Shape()[1], g.n
	if b.caps.endsLoops {
		most = b.caps.maxTurns
	}
	for from := 0; from < g.n; from += most {
		b.dispatch(shaders.SegmentSum, []uint32{0}, elements(s*d), []uint32{u(s), u(d), u(from), u(min(g.n, from+most))},
			update(dst), read(src), g.rows, g.starts)
	}
}

// segments are n rows sorted by a key, those of one key in ascending order: rows[starts[k]:starts[k+1]] have key k.
type segments struct {
	n            int
	rows, starts arg
}

// segments sorts n rows by their keys in [0, s), 8 bits at a time. Keys outside come last, in no segment.
func (b *backend) segments(index arg, n, s int, code uint32) segments {
	const block, digits, bitsOfDigit = 256, 256, 8
	blocks := div(n, block)
	keys, rows, table := b.temp(n), b.temp(n), b.temp(digits*blocks)
	nextKeys, nextRows := b.temp(n), b.temp(n)
	b.dispatch(shaders.ScatterKeys, []uint32{code}, elements(n), []uint32{u(n), u(s)}, keys, index, b.fault())
	for shift := 0; shift < bits.Len(uint(s)); shift += bitsOfDigit {
		b.dispatch(shaders.RadixCount, nil, flat(blocks), []uint32{u(n), u(blocks), u(shift)}, table, keys.read())
		b.dispatch(shaders.Scan, nil, flat(1), []uint32{u(digits * blocks)}, table)
		b.dispatch(shaders.RadixPlace, []uint32{word(shift == 0)}, flat(blocks), []uint32{u(n), u(blocks), u(shift)},
			nextKeys, nextRows, keys.read(), rows.read(), table.read())
		keys, nextKeys = nextKeys, keys
		rows, nextRows = nextRows, rows
	}
	starts := b.temp(s + 1)
	b.dispatch(shaders.SegmentStarts, nil, elements(s+1), []uint32{u(n), u(s)}, starts, keys.read())
	return segments{n, rows.read(), starts.read()}
}

// Patchify moves pixels to the tokens of their patches.
func (b *backend) Patchify(dst, img *tensor.Tensor, p int) { b.patchify(0, dst, img, img, p) }

// Unpatchify moves them back.
func (b *backend) Unpatchify(img, dst *tensor.Tensor, p int) { b.patchify(1, img, dst, img, p) }

func (b *backend) patchify(back uint32, dst, src, img *tensor.Tensor, p int) {
	shape := img.Shape()
	width := shape[1] * shape[2] * shape[3]
	b.rows(shape[0], width, func(lo, n int) {
		b.dispatch(shaders.Patchify, []uint32{back}, elements(n*width), []uint32{u(n * width), u(shape[1]), u(shape[2]), u(shape[3]), u(p)},
			write(dst).rows(lo, n, width), read(src).rows(lo, n, width))
	})
}
