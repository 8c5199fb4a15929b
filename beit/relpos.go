package beit

import (
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/nn"
)

// Search range and tolerance of the ratio of the geometric sequence of offsets (microsoft/unilm, beit2/run_class_finetuning.py).
const (
	minRatio       = 1.01
	maxRatio       = 1.5
	ratioTolerance = 1e-6
)

// MinRelPosWindow is the smallest window whose table can be resized. A cubic spline needs four offsets on an axis.
const MinRelPosWindow = 3

// ResizeRelPos interpolates a relative position bias table [(2W−1)² + 3, H] from a window of from x from patches to one of to x to. The
// authors do this when they fine-tune at another image size.
// The offsets of the old table are placed at RelPosOffsets and interpolated by a bicubic spline (FITPACK's, not-a-knot). The last three
// rows stay the same. It computes in float64.
// It panics if the table has another shape, or if from is below MinRelPosWindow.
func ResizeRelPos(table []float32, heads, from, to int) []float32 {
	if len(table) != nn.RelPosRows(from, from)*heads || from < MinRelPosWindow || to < 1 {
		panic(fmt.Sprintf("beit: ResizeRelPos: a table of %d numbers for %d heads, from a window of %d to one of %d", len(table), heads, from, to))
	}
	if from == to {
		return slices.Clone(table)
	}
	src, dst := 2*from-1, 2*to-1
	weights := splineWeights(RelPosOffsets(from, to), dst) // [dst, src]
	out := make([]float32, 0, nn.RelPosRows(to, to)*heads)
	across := make([]float64, src*dst*heads) // [src, dst, H]
	for y := range src {
		for x := range dst {
			for h := range heads {
				sum := 0.0
				for k := range src {
					sum += float64(weights[x*src+k] * float64(table[(y*src+k)*heads+h]))
				}
				across[(y*dst+x)*heads+h] = sum
			}
		}
	}
	for y := range dst {
		for x := range dst {
			for h := range heads {
				sum := 0.0
				for k := range src {
					sum += float64(weights[y*src+k] * across[(k*dst+x)*heads+h])
				}
				out = append(out, float32(sum))
			}
		}
	}
	return append(out, table[src*src*heads:]...)
}

// RelPosOffsets returns where ResizeRelPos places the rows of the old table on each axis, in patches of the new window, ascending: 0, ±1,
// ±(1+q), … The ratio q makes the last one about the largest offset of the new window.
func RelPosOffsets(from, to int) []float64 {
	half := from - 1
	lo, hi, q := minRatio, maxRatio, 0.0
	for hi-lo > ratioTolerance {
		q = (lo + hi) / 2
		if (1-math.Pow(q, float64(half)))/(1-q) > float64(to-1) {
			hi = q
		} else {
			lo = q
		}
	}
	out := make([]float64, 2*half+1)
	at := 1.0
	for i := range half {
		out[half+1+i], out[half-1-i] = at, -at
		at += math.Pow(q, float64(i+1))
	}
	return out
}

// splineWeights returns the weights [n, len(x)] of a cubic not-a-knot spline through values at ascending positions x. It is evaluated at
// the integers −(n−1)/2 … (n−1)/2, and is constant beyond its ends.
func splineWeights(x []float64, n int) []float64 {
	m := len(x)
	knots := slices.Concat([]float64{x[0], x[0], x[0], x[0]}, x[2:m-2], []float64{x[m-1], x[m-1], x[m-1], x[m-1]})
	through := make([]float64, m*m) // transposed: row j has basis function j at each position
	for i, at := range x {
		first, b := cubicBasis(knots, at)
		for k, v := range b {
			through[(first+k)*m+i] = v
		}
	}
	wanted := make([]float64, m*n) // [m, n]
	for i := range n {
		first, b := cubicBasis(knots, min(max(float64(i-(n-1)/2), x[0]), x[m-1]))
		for k, v := range b {
			wanted[(first+k)*n+i] = v
		}
	}
	solve(through, wanted, m, n)
	out := make([]float64, n*m)
	for k := range m {
		for i := range n {
			out[i*m+k] = wanted[k*n+i]
		}
	}
	return out
}

// cubicBasis returns the four cubic B-splines that are not 0 at a position, and the index of the first.
func cubicBasis(knots []float64, at float64) (first int, b [4]float64) {
	span := 3
	for span < len(knots)-5 && at >= knots[span+1] {
		span++
	}
	b[0] = 1
	for degree := 1; degree <= 3; degree++ {
		saved := 0.0
		for r := range degree {
			left, right := knots[span+1+r-degree], knots[span+1+r]
			part := b[r] / (right - left)
			b[r] = saved + float64((right-at)*part)
			saved = (at - left) * part
		}
		b[degree] = saved
	}
	return span - 3, b
}

// solve replaces b [m, n] by the solution x of a·x = b, by Gaussian elimination with pivoting. It overwrites a [m, m].
func solve(a, b []float64, m, n int) {
	row := func(t []float64, i, width int) []float64 { return t[i*width : (i+1)*width] }
	for c := range m {
		pivot := c
		for r := c + 1; r < m; r++ {
			if math.Abs(a[r*m+c]) > math.Abs(a[pivot*m+c]) {
				pivot = r
			}
		}
		for k, v := range row(a, pivot, m) {
			a[pivot*m+k], a[c*m+k] = a[c*m+k], v
		}
		for k, v := range row(b, pivot, n) {
			b[pivot*n+k], b[c*n+k] = b[c*n+k], v
		}
		for r := range m {
			if r == c || a[r*m+c] == 0 {
				continue
			}
			f := a[r*m+c] / a[c*m+c]
			for k := range m {
				a[r*m+k] -= float64(f * a[c*m+k])
			}
			for k := range n {
				b[r*n+k] -= float64(f * b[c*n+k])
			}
		}
	}
	for c := range m {
		for k := range n {
			b[c*n+k] /= a[c*m+c]
		}
	}
}
