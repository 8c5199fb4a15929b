package explore

import (
	"cmp"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// eigen returns the k largest eigenvalues of a symmetric matrix a [n, n], the largest first, and their unit eigenvectors as rows [k, n]. It
// overwrites a.
//
// Householder reflections make a tridiagonal, and QR steps with Wilkinson's shift make that diagonal (Golub and Van Loan, Matrix Computations,
// sections 8.3.1 and 8.3.3).
func eigen(a []float64, n, k int) (values, vectors []float64) {
	t := tridiagonalize(a, n)
	rotated := t.diagonalize()
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(t.diagonal[j], t.diagonal[i]) })
	vectors = make([]float64, 0, k*n)
	for _, i := range order[:k] {
		values = append(values, t.diagonal[i])
		vectors = append(vectors, rotated[i*n:(i+1)*n]...)
	}
	tensor.ParallelFor(k, func(i int) { t.reflect(vectors[i*n : (i+1)*n]) })
	return values, vectors
}

// tridiagonal is a symmetric matrix T with A = Q T Qᵀ. Q is the product of the reflections H = I - beta v vᵀ, the first one leftmost.
type tridiagonal struct {
	n             int
	diagonal, off []float64 // n and n-1 numbers
	beta          []float64 // of each reflection
	v             []float64 // [n, n]: row i holds the vector of reflection i from column i+1 on
}

// tridiagonalize reduces a symmetric matrix, whose memory the result uses.
func tridiagonalize(a []float64, n int) *tridiagonal {
	t := &tridiagonal{n: n, diagonal: make([]float64, n), off: make([]float64, max(n-1, 0)), beta: make([]float64, max(n-2, 0)), v: a}
	w := make([]float64, n)
	for i := range t.beta {
		v := a[i*n+i+1 : (i+1)*n] // what stands beside the diagonal, and below it too
		rest := dot(v[1:], v[1:])
		if rest == 0 { // already tridiagonal
			t.off[i] = v[0]
			continue
		}
		t.off[i] = -math.Copysign(math.Sqrt(v[0]*v[0]+rest), v[0])
		v[0] -= t.off[i]
		t.beta[i] = 2 / (v[0]*v[0] + rest)
		w := w[:len(v)]
		row := func(r int) []float64 { return a[(i+1+r)*n+i+1 : (i+2+r)*n] }
		tensor.ParallelFor(len(v), func(r int) { w[r] = t.beta[i] * dot(row(r), v) })
		half := t.beta[i] / 2 * dot(w, v)
		for r := range w {
			w[r] -= half * v[r]
		}
		tensor.ParallelFor(len(v), func(r int) {
			at, vr, wr := row(r), v[r], w[r]
			for c := range at {
				at[c] -= vr*w[c] + wr*v[c]
			}
		})
	}
	for i := range n {
		t.diagonal[i] = a[i*n+i]
	}
	if n > 1 {
		t.off[n-2] = a[(n-2)*n+n-1]
	}
	return t
}

// rotation turns two neighbouring rows x, y to c x + s y and c y - s x.
type rotation struct{ c, s float64 }

// diagonalize makes the matrix diagonal, and returns its eigenvectors as rows [n, n].
func (t *tridiagonal) diagonalize() []float64 {
	z := make([]float64, t.n*t.n)
	size := 0.0
	for i, d := range t.diagonal {
		z[i*t.n+i] = 1
		size = max(size, math.Abs(d))
	}
	for _, e := range t.off {
		size = max(size, math.Abs(e))
	}
	zero := size * 0x1p-52
	for hi := t.n - 1; hi > 0; {
		lo := hi
		for lo > 0 && math.Abs(t.off[lo-1]) > zero {
			lo--
		}
		if lo == hi {
			hi--
			continue
		}
		rotate(z, t.n, lo, t.step(lo, hi))
	}
	return z
}

// step is a QR step on rows lo … hi, and returns the rotations of rows lo and lo+1, lo+1 and lo+2, and so on.
func (t *tridiagonal) step(lo, hi int) []rotation {
	d, e := t.diagonal, t.off
	delta := (d[hi-1] - d[hi]) / 2
	shift := d[hi] - math.Copysign(e[hi-1]*(e[hi-1]/(math.Abs(delta)+math.Hypot(delta, e[hi-1]))), delta)
	x, bulge := d[lo]-shift, e[lo]
	list := make([]rotation, 0, hi-lo)
	for i := lo; i < hi; i++ {
		r := math.Hypot(x, bulge)
		c, s := 1.0, 0.0
		if r > 0 {
			c, s = x/r, bulge/r
		}
		if i > lo {
			e[i-1] = r
		}
		a, b, o := d[i], d[i+1], e[i]
		d[i] = c*c*a + 2*c*s*o + s*s*b
		d[i+1] = s*s*a - 2*c*s*o + c*c*b
		e[i] = c*s*(b-a) + (c*c-s*s)*o
		if x = e[i]; i+1 < hi {
			bulge, e[i+1] = s*e[i+1], c*e[i+1]
		}
		list = append(list, rotation{c, s})
	}
	return list
}

// rotateColumns is the number of columns that one goroutine rotates: few enough for all rows of them to stay in the cache.
const rotateColumns = 64

// rotate applies rotations to the rows of z [n, n] from row lo on.
func rotate(z []float64, n, lo int, list []rotation) {
	tensor.ParallelFor((n+rotateColumns-1)/rotateColumns, func(block int) {
		from, to := block*rotateColumns, min((block+1)*rotateColumns, n)
		for i, r := range list {
			x, y := z[(lo+i)*n+from:(lo+i)*n+to], z[(lo+i+1)*n+from:(lo+i+1)*n+to]
			for j, a := range x {
				b := y[j]
				x[j], y[j] = r.c*a+r.s*b, r.c*b-r.s*a
			}
		}
	})
}

// reflect turns an eigenvector of T to that of A: Q times it.
func (t *tridiagonal) reflect(x []float64) {
	for i := len(t.beta) - 1; i >= 0; i-- {
		v, part := t.v[i*t.n+i+1:(i+1)*t.n], x[i+1:]
		by := t.beta[i] * dot(v, part)
		for j := range part {
			part[j] -= by * v[j]
		}
	}
}

// dot is the sum of products of numbers.
func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
