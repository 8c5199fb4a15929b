package kernel

var gemmGeneric = GemmFuncs{rows: 2, cols: 4, tile: gemmTileGeneric, gather: gemmGatherGeneric, transpose: gemmTransposeGeneric,
	peak: gemmPeak{peakGeneric, 2 * genericSums}}

// gemmTileGeneric computes an m x n tile over k steps:
//
//	for i := range m {
//		for j := range n {
//			var sum float32
//			for p := range k {
//				sum += a[i*aRow+p*aCol] * b[p*bRow+j]
//			}
//			if accumulate { c[i*cRow+j] += sum } else { c[i*cRow+j] = sum }
//		}
//	}
//
// The conversions of the products keep compilers from fusing them into the sums, so the
// generic level gives the same bits on every architecture. (The assembly does fuse.)
func gemmTileGeneric(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool) {
	if m == 2 && n == 4 {
		gemmTile2x4(k, a, aRow, aCol, b, bRow, c, cRow, accumulate)
		return
	}
	for i := range m {
		for j := range n {
			var sum float32
			for p := range k {
				sum += float32(a[i*aRow+p*aCol] * b[p*bRow+j])
			}
			if accumulate {
				sum += c[i*cRow+j]
			}
			c[i*cRow+j] = sum
		}
	}
}

// gemmTile2x4 is the full tile, with its eight sums in registers.
func gemmTile2x4(k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool) {
	var c00, c01, c02, c03, c10, c11, c12, c13 float32
	low := a[aRow:]
	at := 0
	for p := range k {
		row := b[p*bRow:][:4:4]
		b0, b1, b2, b3 := row[0], row[1], row[2], row[3]
		x, y := a[at], low[at]
		c00 += float32(x * b0)
		c01 += float32(x * b1)
		c02 += float32(x * b2)
		c03 += float32(x * b3)
		c10 += float32(y * b0)
		c11 += float32(y * b1)
		c12 += float32(y * b2)
		c13 += float32(y * b3)
		at += aCol
	}
	r0, r1 := c[:4:4], c[cRow:][:4:4]
	if accumulate {
		c00, c01, c02, c03 = c00+r0[0], c01+r0[1], c02+r0[2], c03+r0[3]
		c10, c11, c12, c13 = c10+r1[0], c11+r1[1], c12+r1[2], c13+r1[3]
	}
	r0[0], r0[1], r0[2], r0[3] = c00, c01, c02, c03
	r1[0], r1[1], r1[2], r1[3] = c10, c11, c12, c13
}

// gemmGatherGeneric sets dst[(s*k+p)*width+x] = src[p*stride+s*width+x] for s < strips, p < k
// and x < width.
func gemmGatherGeneric(dst []float32, width int, src []float32, stride, strips, k int) {
	for p := range k {
		for s := range strips {
			copy(dst[(s*k+p)*width:][:width], src[p*stride+s*width:])
		}
	}
}

// gemmTransposeGeneric sets dst[p*ld+r] = src[r*stride+p] for r < rows and p < k.
func gemmTransposeGeneric(dst []float32, ld int, src []float32, stride, rows, k int) {
	for r := range rows {
		at := r
		for _, v := range src[r*stride:][:k] {
			dst[at] = v
			at += ld
		}
	}
}
