//go:build arm64 && !purego

package kernel

// Packing stays in Go: gather copies whole strips with copy, and transpose moves what the tile
// then reads many times.
var gemmNEON = GemmFuncs{rows: 8, cols: 12, tile: gemmTileWithin8, gather: gemmGatherGeneric, transpose: gemmTransposeGeneric,
	peak: gemmPeak{gemmPeakNEON, 2 * 4 * peakSums}}

// gemmTileWithin8 puts tiles of 8, 4, 2 and 1 rows together.
func gemmTileWithin8(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool) {
	for rows := 8; m > 0; rows /= 2 {
		if m < rows {
			continue
		}
		gemmTileNEON(rows, n, k, a, aRow, aCol, b, bRow, c, cRow, accumulate)
		if m -= rows; m > 0 {
			a, c = a[rows*aRow:], c[rows*cRow:]
		}
	}
}
