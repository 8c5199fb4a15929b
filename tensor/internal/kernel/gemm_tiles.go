package kernel

import (
	"sync"
	"unsafe"
)

// gemmTiles are the functions of a level with tile registers: matmuls of bfloat16 with float32
// sums, for 32 x 32 elements of C at a time. Precision Medium rounds factors to bfloat16. High
// splits each factor in two pieces: the rounded factor, and the rounded rest. Of the four products
// of pieces, that of the two rests is left out.
//
// The rest is at most 2^-8 of a power of two that is not above the factor, and the remainder after
// the second piece 2^-17. So each product is off by less than 2^-16 + 2·2^-17 = 2^-15 of itself.
// The roundings of the sums, fewer than K, are added to that. Denormal float32 numbers count as
// zero, in pieces and sums too. So the bound needs factors of at least 2^-100, and products well
// above 2^-126.
type gemmTiles struct {
	// tile computes an m x n block of C = A·B, or C += A·B with accumulate, for m >= 1 and 1 <= n <= 32. K has steps >= 1 of 32 k.
	// Operands have one piece or two. A and B are panels made by packTiles, those of A one after the other.
	tile func(m, n, steps, pieces int, a, b, c []float32, cRow int, accumulate bool)

	pairs pairPacking // for B in one piece

	// What splits factors: VecFuncs.ToBFloat16, FromBFloat16 and Sub.
	round func(dst []uint16, x []float32)
	widen func(dst []float32, x []uint16)
	sub   func(dst, a, b []float32)

	peak gemmPeak
}

const (
	tileSide  = 32                // rows and columns of C in a tile
	tileDepth = 32                // k in a step
	tileWords = tileSide * 32 / 2 // words of a panel for each step and piece
)

// tilePieces is in how many pieces operands are multiplied.
func tilePieces(p Precision) int {
	if p == High {
		return 2
	}
	return 1
}

// tileStrip is room for packing one panel: its rows with k running along them, what rounding leaves of one, and rounded rows of B. Rows are somewhat
// longer than what they hold, since at distances of powers of two they would share few sets of the cache.
type tileStrip struct {
	rows  [tileSide * tileRow]float32
	rest  [gemmMaxDepth * 2]float32
	words [2 * tileSide * tileWordsRow]float32
}

const (
	tileRow      = gemmMaxDepth*2 + 16
	tileWordsRow = gemmMaxDepth/2 + 16 // operands in two pieces are half as deep
)

var tileStrips = sync.Pool{New: func() any { return new(tileStrip) }}

// packTiles packs total rows of A or columns of B, with element (x,k) at src[x*across+k*along], in
// panels of 32. A panel has its first piece and, where pieces is 2, then the second. An element is
// half a word.
//
// A piece of a panel of A has 32 rows of 16·steps pairs of k. One of B has 16·steps rows of 32
// pairs. 32·steps is at least k, and beyond k there are zeros. Elements beyond the edge of the
// matrix are undefined.
func (f *GemmFuncs) packTiles(dst []float32, ofA bool, pieces int, src []float32, across, along, total, k, steps int) {
	strip := tileStrips.Get().(*tileStrip)
	defer tileStrips.Put(strip)
	piece := steps * tileWords
	for x := 0; x < total; x += tileSide {
		to, from, width := dst[x/tileSide*pieces*piece:][:pieces*piece], src[x*across:], min(tileSide, total-x)
		switch {
		case ofA:
			f.packRows(strip, to, piece, steps*tileDepth/2, pieces, from, across, along, width, k)
		case pieces == 1:
			f.tiles.pairs.pack(to, tileSide, tileSide, from, across, along, width, k)
			clear(to[(k+1)/2*tileSide:])
		default:
			const room = len(strip.words) / 2
			f.packRows(strip, strip.words[:], room, tileWordsRow, pieces, from, across, along, width, k)
			clear(to)
			for p := range pieces {
				f.transpose(to[p*piece:], tileSide, strip.words[p*room:], tileWordsRow, width, (k+1)/2)
			}
		}
	}
}

// packRows splits the rows of one panel into pieces: those of row r start at words r*row and piece+r*row, and end in zeros.
func (f *GemmFuncs) packRows(strip *tileStrip, dst []float32, piece, row, pieces int, src []float32, across, along, width, k int) {
	if along != 1 {
		if across == 1 {
			f.transpose(strip.rows[:], tileRow, src, along, k, width)
		} else {
			for x := range width {
				for p := range k {
					strip.rows[x*tileRow+p] = src[x*across+p*along]
				}
			}
		}
		src, across = strip.rows[:], tileRow
	}
	for r := range width {
		x := src[r*across:][:k]
		for p := range pieces {
			halves := asBFloat16(dst[p*piece+r*row:][:row])
			f.tiles.round(halves[:k], x)
			clear(halves[k:])
			if p+1 < pieces {
				rest := strip.rest[:k]
				f.tiles.widen(rest, halves[:k])
				f.tiles.sub(rest, x, rest)
				x = rest
			}
		}
	}
}

// asBFloat16 sees words as the halves they consist of, the lower one first.
func asBFloat16(words []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(words))), 2*len(words))
}

// alignedWords makes n words that begin with a line of the cache, as rows of tiles should.
func alignedWords(n int) []float32 {
	const line = 64 / 4
	x := make([]float32, n+line-1)
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(x)))/4) & (line - 1)
	return x[skip:][:n:n]
}
