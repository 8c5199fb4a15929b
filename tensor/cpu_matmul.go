package tensor

import "github.com/gobeit/gobeit/tensor/internal/kernel"

// smallGemm is the number of multiplications below which a product is not worth splitting among threads.
const smallGemm = 1 << 21

// MatMul multiplies each pair of a batch.
func (c *cpuBackend) MatMul(dst, a, b *Tensor, add bool, p Precision) {
	batch, m, n, k := dst.shape[0], dst.shape[1], dst.shape[2], a.shape[2]
	if dst.Size() == 0 {
		return
	}
	d, x, y := f32(dst), f32s(a), f32s(b)
	serial := batch > 1 && m*n*k < smallGemm
	one := func(i int) {
		c.set.MatMul(kernel.GemmArgs{
			M: m, N: n, K: k,
			A: x[i*a.strides[0]:], ARow: a.strides[1], ACol: a.strides[2],
			B: y[i*b.strides[0]:], BRow: b.strides[1], BCol: b.strides[2],
			C: d[i*m*n:], CRow: n,
			Accumulate: add, Precision: kernel.Precision(p), Serial: serial,
		})
	}
	if serial {
		split(batch, m*(n+k)+n*k, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				one(i)
			}
		})
		return
	}
	for i := range batch {
		one(i)
	}
}
