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

// ResizeRelPos interpolates a relative position bias table [(2R−1)(2C−1) + 3, H] from a window of R x C patches to another. The
// authors do this when they fine-tune at another image size.
// On each axis the offsets of the old table are placed at RelPosOffsets and interpolated by a bicubic spline (FITPACK's, not-a-knot). An axis of the
// same length stays as it is, and so do the last three rows. It computes in float64. A window is given by its rows and columns.
// It panics if the table has another shape, or if a side of from that changes is below MinRelPosWindow.
func ResizeRelPos(table []float32, heads int, from, to [2]int) []float32 {
	small := from[0] != to[0] && from[0] < MinRelPosWindow || from[1] != to[1] && from[1] < MinRelPosWindow
	if len(table) != nn.RelPosRows(from[0], from[1])*heads || small || min(to[0], to[1]) < 1 {
		panic(fmt.Sprintf("beit: ResizeRelPos: a table of %d numbers for %d heads, from a window of %v to one of %v", len(table), heads, from, to))
	}
	if from == to {
		return slices.Clone(table)
	}
	down, right := relPosWeights(from[0], to[0]), relPosWeights(from[1], to[1])
	rows, cols, newRows, newCols := 2*from[0]-1, 2*from[1]-1, 2*to[0]-1, 2*to[1]-1
	out := make([]float32, 0, nn.RelPosRows(to[0], to[1])*heads)
	across := make([]float64, rows*newCols*heads) // [rows, newCols, H]
	for y := range rows {
		for x := range newCols {
			for h := range heads {
				sum := 0.0
				for k := range cols {
					sum += float64(right[x*cols+k] * float64(table[(y*cols+k)*heads+h]))
				}
				across[(y*newCols+x)*heads+h] = sum
			}
		}
	}
	for y := range newRows {
		for x := range newCols {
			for h := range heads {
				sum := 0.0
				for k := range rows {
					sum += float64(down[y*rows+k] * across[(k*newCols+x)*heads+h])
				}
				out = append(out, float32(sum))
			}
		}
	}
	return append(out, table[rows*cols*heads:]...)
}

// relPosWeights returns the weights [2·to−1, 2·from−1] of an axis.
func relPosWeights(from, to int) []float64 {
	src, dst := 2*from-1, 2*to-1
	if from != to {
		return splineWeights(RelPosOffsets(from, to), dst)
	}
	w := make([]float64, dst*src)
	for i := range dst {
		w[i*src+i] = 1
	}
	return w
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
