package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// matmul adds a·b, a [m, k] with element (i, j) at a[i*ra+j*ca] and b [k, n] likewise, to c [m, n].
func matmul(c []float64, m, n, k int, a []float64, ra, ca int, b []float64, rb, cb int) {
	for i := range m {
		for p := range k {
			x := a[i*ra+p*ca]
			for j := range n {
				c[i*n+j] += x * b[p*rb+j*cb]
			}
		}
	}
}

// transposes are the four ways to give the factors of a product.
var transposes = []struct {
	name   string
	ta, tb bool
}{{"nn", false, false}, {"nt", false, true}, {"tn", true, false}, {"tt", true, true}}

var _ = family(matmuls)

func matmuls() []Case {
	var cases []Case
	for _, t := range transposes {
		for _, s := range [][4]int{ // batch, m, k, n
			{1, 0, 3, 3}, {1, 3, 0, 3}, {1, 3, 3, 0}, {0, 3, 3, 3}, {1, 1, 1, 1}, {2, 3, 17, 1}, {3, 17, 3, 65}, {1, 65, 197, 17},
			{5, 65, 16, 65}, {1, 520, 192, 197},
		} {
			cases = append(cases, matmulCase(s[0], s[1], s[2], s[3], t.name, t.ta, t.tb, tensor.Highest))
		}
		for _, s := range [][4]int{{1, 1, 32, 32}, {2, 3, 64, 65}, {3, 65, 300, 33}, {1, 520, 40, 197}, {1, 3, 17, 1}, {0, 3, 64, 64}} {
			cases = append(cases, matmulCase(s[0], s[1], s[2], s[3], t.name, t.ta, t.tb, tensor.Medium))
		}
	}
	return append(cases, matmulBroadcast(3, 5, 17, 9, tensor.Highest), matmulBroadcast(3, 5, 70, 35, tensor.Medium),
		matmulAdd(tensor.Highest), matmulAdd(tensor.Medium), matmulVectors(3, 5, 17), matmulVectors(0, 1, 3), matmulVectors(2, 65, 197))
}

// suffix is what a precision adds to a case's name.
func suffix(p tensor.Precision) string {
	if p == tensor.Highest {
		return ""
	}
	return "/" + p.String()
}

func matmulCase(batch, m, k, n int, trans string, ta, tb bool, p tensor.Precision) Case {
	a, b := f(batch, m, k), f(batch, k, n)
	ra, ca, rb, cb := k, 1, n, 1
	if ta {
		a, ra, ca = f(batch, k, m), 1, m
	}
	if tb {
		b, rb, cb = f(batch, n, k), 1, k
	}
	view := func(x *tensor.Tensor, t bool) *tensor.Tensor {
		if t {
			return x.T()
		}
		return x
	}
	return Case{
		Name:   fmt.Sprintf("MatMul/b=%d/m=%d/k=%d/n=%d/trans=%s%s", batch, m, k, n, trans, suffix(p)),
		Inputs: []Input{a, b},
		Forward: func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst := tensor.New(dev, batch, m, n)
			tensor.MatMulInto(dst, view(in[0], ta), view(in[1], tb), false, p)
			return one(dst)
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, batch*m*n)
			for i := range batch {
				matmul(y[i*m*n:], m, n, k, in[0][i*m*k:], ra, ca, in[1][i*k*n:], rb, cb)
			}
			return one(y)
		},
		Tolerance: productTolerance(p), FLOPs: 2 * float64(batch*m*n*k),
	}
}

// matmulBroadcast multiplies each of a batch with the same matrix, which repeats with stride 0.
func matmulBroadcast(batch, m, k, n int, p tensor.Precision) Case {
	return Case{
		Name:   "MatMul/broadcast" + suffix(p),
		Inputs: []Input{f(batch, m, k), f(k, n)},
		Forward: func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst := tensor.New(dev, batch, m, n)
			tensor.MatMulInto(dst, in[0], in[1], false, p)
			return one(dst)
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, batch*m*n)
			matmul(y, batch*m, n, k, in[0], k, 1, in[1], n, 1)
			return one(y)
		},
		Tolerance: productTolerance(p), FLOPs: 2 * float64(batch*m*n*k),
	}
}

// matmulVectors multiplies a vector with a matrix, each of a batch of matrices with a vector, and two vectors.
func matmulVectors(batch, m, k int) Case {
	return Case{
		Name:   fmt.Sprintf("MatMul/vectors/b=%d/m=%d/k=%d", batch, m, k),
		Inputs: []Input{f(k), f(k, m), f(batch, m, k)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			vector := in[0]
			same := vector.Slice(0, 0, 1).Expand(k) // with stride 0
			return []*tensor.Tensor{
				tensor.MatMul(vector, in[1]), tensor.MatMul(in[2], vector), tensor.MatMul(vector, vector), tensor.MatMul(in[1].T(), same), tensor.MatMul(same, in[1]),
			}
		},
		Reference: func(in [][]float64) [][]float64 {
			row, column, dot, repeated := make([]float64, m), make([]float64, batch*m), make([]float64, 1), make([]float64, m)
			matmul(row, 1, m, k, in[0], k, 1, in[1], m, 1)
			matmul(column, batch*m, 1, k, in[2], k, 1, in[0], 1, 1)
			matmul(dot, 1, 1, k, in[0], k, 1, in[0], 1, 1)
			matmul(repeated, 1, m, k, in[0], 0, 0, in[1], m, 1)
			return [][]float64{row, column, dot, repeated, repeated}
		},
		Tolerance: 5e-6, FLOPs: 2 * float64((batch+1)*m*k),
	}
}

// matmulAdd adds the product to what is there.
func matmulAdd(p tensor.Precision) Case {
	const m, k, n = 17, 65, 33
	return Case{
		Name:   "MatMul/add" + suffix(p),
		Inputs: []Input{f(m, k), f(k, n), f(m, n)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst := in[2].Clone()
			tensor.MatMulInto(dst, in[0], in[1], true, p)
			return one(dst)
		},
		Reference: func(in [][]float64) [][]float64 {
			y := append([]float64(nil), in[2]...)
			matmul(y, m, n, k, in[0], k, 1, in[1], n, 1)
			return one(y)
		},
		Tolerance: productTolerance(p), FLOPs: 2 * m * n * k,
	}
}

// productTolerance is the tolerance of products at a precision: rounding their factors to bfloat16 moves
// each by up to 2^-8, which the softmax of an attention magnifies.
func productTolerance(p tensor.Precision) float64 {
	if p == tensor.Medium {
		return 0x1p-5
	}
	return 5e-6
}
