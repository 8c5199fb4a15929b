package kernel

import "math"

// gemmPairs are the functions of a level for matmuls in bfloat16 with float32 sums (precision
// Medium). Its panels consist of pairs: 32-bit words, stored as float32. A pair holds element k of
// a row of A or column of B in the lower half, and k+1 in the upper half. Both are rounded to
// nearest even. The last pair of an odd K ends in a zero.
//
// Only tile depends on the content of pairs. It treats them as GemmFuncs.tile treats float32.
type gemmPairs struct {
	pairPacking
	high int // the words of a panel of A for each pair of k, at least GemmFuncs.rows

	// tile is GemmFuncs.tile on pairs, k counted in pairs. Each step adds the product of
	// the upper halves to the sum, then that of the lower halves; what float32 holds as a
	// denormal counts as zero, sums included.
	tile func(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool)

	peak gemmPeak
}

// pairPacking makes panels of pairs.
type pairPacking struct {
	// gather packs strips of a matrix whose elements of one k are neighbours: column x of
	// strip s at src[k*stride+s*width+x].
	gather func(dst []float32, ld int, src []float32, stride, width, strips, k int)

	// transpose packs up to 16 rows that run along k.
	transpose func(dst []float32, ld int, src []float32, stride, rows, k int)
}

// pack packs strips of width rows of A or columns of B, element (x,k) of total at
// src[x*across+k*along]: pair (x,p) of a strip goes to p*ld+x of its panel.
func (f *pairPacking) pack(dst []float32, width, ld int, src []float32, across, along, total, k int) {
	panel := ld * ((k + 1) / 2)
	switch {
	case across == 1:
		whole := total / width
		if whole > 0 {
			f.gather(dst, ld, src, along, width, whole, k)
		}
		if x := whole * width; x < total {
			f.gather(dst[whole*panel:], ld, src[x:], along, total-x, 1, k)
		}
	case along == 1:
		const most = 16
		for x := 0; x < total; x += width {
			strip := min(width, total-x)
			for r := 0; r < strip; r += most {
				f.transpose(dst[x/width*panel+r:], ld, src[(x+r)*across:], across, min(most, strip-r), k)
			}
		}
	default:
		for x := 0; x < total; x += width {
			packPairs(dst[x/width*panel:], ld, src[x*across:], across, along, min(width, total-x), k)
		}
	}
}

// packPairs packs one panel of a matrix with any two strides. It defines what gather and transpose do.
func packPairs(dst []float32, ld int, src []float32, across, along, width, k int) {
	for x := range width {
		for p := range (k + 1) / 2 {
			at := x*across + 2*p*along
			word := toBF16(src[at])
			if 2*p+1 < k {
				word |= toBF16(src[at+along]) << 16
			}
			dst[p*ld+x] = math.Float32frombits(word)
		}
	}
}

// toBF16 rounds x to the nearest bfloat16, ties to even, as VCVTNEPS2BF16 does: a denormal becomes zero.
func toBF16(x float32) uint32 {
	bits := math.Float32bits(x)
	switch {
	case bits&0x7f800000 == 0:
		return bits >> 31 << 15
	case x != x:
		return bits>>16 | 0x40
	}
	return (bits + 0x7fff + bits>>16&1) >> 16
}
