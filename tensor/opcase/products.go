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

func products() []Case {
	var cases []Case
	for _, s := range [][4]int{ // batch, m, k, n
		{1, 0, 3, 3}, {1, 3, 0, 3}, {1, 3, 3, 0}, {0, 3, 3, 3}, {1, 1, 1, 1}, {2, 3, 17, 1}, {3, 17, 3, 65}, {1, 65, 197, 17},
		{5, 65, 16, 65}, {1, 520, 192, 197},
	} {
		for _, t := range []struct {
			name   string
			ta, tb bool
		}{{"nn", false, false}, {"nt", false, true}, {"tn", true, false}, {"tt", true, true}} {
			cases = append(cases, matmulCase(s[0], s[1], s[2], s[3], t.name, t.ta, t.tb))
		}
	}
	return append(cases, matmulBroadcast(), matmulAdd(tensor.Highest), matmulAdd(tensor.Medium))
}

func matmulCase(batch, m, k, n int, trans string, ta, tb bool) Case {
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
		Name:   fmt.Sprintf("MatMul/b=%d/m=%d/k=%d/n=%d/trans=%s", batch, m, k, n, trans),
		Inputs: []Input{a, b},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.MatMul(view(in[0], ta), view(in[1], tb)))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, batch*m*n)
			for i := range batch {
				matmul(y[i*m*n:], m, n, k, in[0][i*m*k:], ra, ca, in[1][i*k*n:], rb, cb)
			}
			return one(y)
		},
		Tolerance: 5e-6, FLOPs: 2 * float64(batch*m*n*k),
	}
}

// matmulBroadcast multiplies each of a batch with the same matrix, which repeats with stride 0.
func matmulBroadcast() Case {
	const batch, m, k, n = 3, 5, 17, 9
	return Case{
		Name:   "MatMul/broadcast",
		Inputs: []Input{f(batch, m, k), f(k, n)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.MatMul(in[0], in[1]))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, batch*m*n)
			matmul(y, batch*m, n, k, in[0], k, 1, in[1], n, 1)
			return one(y)
		},
		Tolerance: 5e-6, FLOPs: 2 * batch * m * n * k,
	}
}

// matmulAdd adds the product to what is there.
func matmulAdd(p tensor.Precision) Case {
	const m, k, n = 17, 65, 33
	name := "MatMul/add"
	if p != tensor.Highest {
		name += "/" + p.String()
	}
	return Case{
		Name:   name,
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

// gradient makes a destination: a new tensor, or with add one that holds prior already. taken subtracts that again.
func gradient(dev *tensor.Device, add bool, shape []int) tensor.Grad {
	if add {
		return tensor.Grad{To: tensor.Full(dev, prior, shape...), Add: true}
	}
	return tensor.Grad{To: tensor.New(dev, shape...)}
}

const prior = 0.25

func taken(g tensor.Grad) *tensor.Tensor {
	if g.Add {
		return tensor.Affine(g.To, 1, -prior)
	}
	return g.To
}
