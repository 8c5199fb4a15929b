// Package resample holds the two inner loops of resizing 8-bit RGB with 22-bit weights: across a row, and down columns. The portable
// loops define the result; assembly gives the same bytes.
//
//	resample.Row(dst, src, from, weights)    // len(from) pixels out of one row
//	resample.Column(dst, src, weights)       // one row out of len(weights) rows
//
// Slices of wrong lengths panic. The functions may be called by several goroutines at once.
package resample

import "fmt"

// Precision is the number of fractional bits of the weights; the sum of a window's weights times 255 then fits 31 bits with room for the
// overshoot of the filters.
const Precision = 22

const half = 1 << (Precision - 1)

// Row makes each pixel i of dst from the pixels of src that begin at from[i], with the weights that follow each other in weights, equally
// many for each pixel:
//
//	dst[3i+c] = clip((half + Σ weights[taps·i+k] · src[3(from[i]+k)+c]) >> Precision)
func Row(dst, src []uint8, from, weights []int32) {
	n := len(from)
	if n == 0 {
		return
	}
	taps := len(weights) / n
	if taps == 0 || len(weights) != n*taps || len(dst) != 3*n {
		panic(fmt.Sprintf("resample: Row: %d weights for %d positions into %d values", len(weights), n, len(dst)))
	}
	for _, f := range from {
		if f < 0 || 3*(int(f)+taps) > len(src) {
			panic(fmt.Sprintf("resample: Row: pixels %d to %d of %d", f, int(f)+taps, len(src)/3))
		}
	}
	done := rowFast(dst, src, from, weights, taps)
	rowGeneric(dst[3*done:], src, from[done:], weights[done*taps:], taps)
}

func rowGeneric(dst, src []uint8, from, weights []int32, taps int) {
	for i, f := range from {
		pixels := src[3*int(f) : 3*(int(f)+taps)]
		var r, g, b int32 = half, half, half
		for _, w := range weights[i*taps : (i+1)*taps] {
			p := pixels[:3:3]
			pixels = pixels[3:]
			r += w * int32(p[0])
			g += w * int32(p[1])
			b += w * int32(p[2])
		}
		out := dst[3*i : 3*i+3 : 3*i+3]
		out[0], out[1], out[2] = clip(r>>Precision), clip(g>>Precision), clip(b>>Precision)
	}
}

// Column makes each value of dst from the values at its place in len(weights) rows, each as long as dst, that follow each other in src:
//
//	dst[i] = clip((half + Σ weights[k] · src[len(dst)·k+i]) >> Precision)
func Column(dst, src []uint8, weights []int32) {
	if len(weights) == 0 || len(src) < len(weights)*len(dst) {
		panic(fmt.Sprintf("resample: Column: %d weights, %d values for rows of %d", len(weights), len(src), len(dst)))
	}
	columnGeneric(dst, src, weights, columnFast(dst, src, weights))
}

// columnBlock is how many values the portable loop sums at a time, so that the sums stay in the first cache.
const columnBlock = 256

// columnGeneric computes the values from position begin on.
func columnGeneric(dst, src []uint8, weights []int32, begin int) {
	var buffer [columnBlock]int32
	for at := begin; at < len(dst); at += columnBlock {
		out := dst[at:min(at+columnBlock, len(dst))]
		sums := buffer[:len(out)]
		for i := range sums {
			sums[i] = half
		}
		line := func(k int) []uint8 { return src[k*len(dst)+at:][:len(sums)] }
		k := 0
		for ; k+4 <= len(weights); k += 4 {
			w0, w1, w2, w3 := weights[k], weights[k+1], weights[k+2], weights[k+3]
			a, b, c, d := line(k), line(k+1), line(k+2), line(k+3)
			for i := range sums {
				sums[i] += w0*int32(a[i]) + w1*int32(b[i]) + w2*int32(c[i]) + w3*int32(d[i])
			}
		}
		for ; k < len(weights); k++ {
			w, a := weights[k], line(k)
			for i := range sums {
				sums[i] += w * int32(a[i])
			}
		}
		for i, s := range sums {
			out[i] = clip(s >> Precision)
		}
	}
}

func clip(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
