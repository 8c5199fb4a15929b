//go:build amd64 && !purego

package kernel

var (
	gemmAVX2 = GemmFuncs{rows: 6, cols: 16, tile: gemmTileAVX2, gather: gemmGatherAVX2, transpose: gemmTransposeWide,
		peak: gemmPeak{gemmPeakAVX2, 2 * 8 * peakSums}}
	gemmAVX512 = GemmFuncs{rows: 14, cols: 32, tile: gemmTileAVX512, gather: gemmGatherAVX2, transpose: gemmTransposeWide,
		peak: gemmPeak{gemmPeakAVX512, 2 * 16 * peakSums}}
	pairsBF16 = pairPacking{gather: gemmGatherBF16, transpose: gemmTransposeBF16}
	gemmBF16  = gemmPairs{pairPacking: pairsBF16, high: 16, tile: gemmTileBF16, peak: gemmPeak{gemmPeakBF16, 4 * 16 * peakSums}}
	gemmAMX   = gemmTiles{tile: gemmTileAMX, pairs: pairsBF16, round: vecAVX512.ToBFloat16, widen: vecAVX512.FromBFloat16, sub: vecAVX512.Sub,
		peak: gemmPeak{gemmPeakAMX, 4 * 2 * 16 * 16 * 32}}
)

// gemmTransposeWide is gemmTransposeGeneric: whole blocks in assembly, what remains in Go.
func gemmTransposeWide(dst []float32, ld int, src []float32, stride, rows, k int) {
	wide := k &^ 7
	for r := 0; r < rows; {
		h := min(rows-r, 8)
		from := src[r*stride:]
		done := 0
		if wide > 0 && (h == 8 || h == 6) {
			gemmTransposeAVX2(dst[r:], ld, from, stride, h, wide)
			done = wide
		}
		if done < k {
			gemmTransposeGeneric(dst[done*ld+r:], ld, from[done:], stride, h, k-done)
		}
		r += h
	}
}
