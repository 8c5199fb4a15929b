package tensor

import "math"

// NearestCode searches for each row of z.
func (c *cpuBackend) NearestCode(codes, z, codebook *Tensor) {
	c.set.NearestCodes(i32(codes), f32(z), f32(codebook), z.shape[1])
}

// CodeStats counts the codes and sums their rows.
func (c *cpuBackend) CodeStats(counts, sums, codes, z *Tensor) {
	indices("CodeStats", codes, sums.shape[0])
	c.set.CodeStats(f32(counts), f32(sums), i32(codes), f32(z), z.shape[1])
}

// codebookEps bounds the norms of codes from below.
const codebookEps = 1e-12

// CodebookEMA moves each row on its own.
func (c *cpuBackend) CodebookEMA(codebook, counts, sums *Tensor, decay float32) {
	book, n, s := f32(codebook), f32(counts), f32(sums)
	c.rows(codebook, func(lo, hi, d int) {
		t, mean := scratch(codebook, d)
		defer t.Release()
		for k := lo; k < hi; k++ {
			row := book[k*d : (k+1)*d]
			copy(mean, row)
			if n[k] > 0 {
				c.vec.Affine(mean, s[k*d:(k+1)*d], 1/n[k], 0)
				c.unit(mean)
			}
			c.vec.Affine(row, row, decay, 0)
			c.vec.AddScaled(row, mean, 1-decay)
			c.unit(row)
		}
	})
}

// unit scales x to norm 1, unless it is next to 0.
func (c *cpuBackend) unit(x []float32) {
	c.vec.Affine(x, x, float32(1/max(math.Sqrt(c.vec.SumSquares(x)), codebookEps)), 0)
}
