package tensor

import "github.com/gobeit/gobeit/tensor/internal/kernel"

// Linear is one product whose epilogue does the rest to each piece of a row while it is in cache.
func (c *cpuBackend) Linear(a LinearArgs) {
	m, k, n := a.X.shape[0], a.X.shape[1], a.W.shape[0]
	if m == 0 || n == 0 {
		return
	}
	y := f32(a.Y)
	product := y // what receives x·wᵀ + bias
	switch {
	case a.Pre != nil:
		product = f32(a.Pre)
	case a.Residual != nil:
		t, branch := scratch(a.Y, m*n)
		defer t.Release()
		product = branch
	}
	c.set.MatMul(kernel.GemmArgs{
		M: m, N: n, K: k,
		A: f32(a.X), ARow: k, ACol: 1,
		B: f32(a.W), BRow: 1, BCol: k,
		C: product, CRow: n,
		Precision: kernel.Precision(a.Precision),
		Epilogue:  c.linearEpilogue(a, y, m, n),
	})
}

// linearEpilogue returns what Linear does to p = (x·wᵀ)[i, j:], or nil when nothing.
func (c *cpuBackend) linearEpilogue(a LinearArgs, y []float32, m, n int) func(i, j int, p []float32) {
	if a.Bias == nil && !a.GELU && a.Residual == nil {
		return nil
	}
	var bias, residual, gamma []float32
	if a.Bias != nil {
		bias = f32(a.Bias)
	}
	if a.Residual != nil {
		residual = f32(a.Residual)
	}
	if a.Gamma != nil {
		gamma = f32(a.Gamma)
	}
	keep := keepOf(a.Keep, m)
	return func(i, j int, p []float32) {
		if bias != nil {
			c.vec.Add(p, p, bias[j:j+len(p)])
		}
		at := i*n + j
		out := y[at : at+len(p)]
		switch {
		case a.GELU:
			c.vec.GELU(out, p)
		case gamma != nil:
			c.vec.ScaleResidual(out, residual[at:at+len(p)], p, gamma[j:j+len(p)], keep(i))
		case residual != nil:
			copy(out, residual[at:at+len(p)])
			c.vec.AddScaled(out, p, keep(i))
		}
	}
}

// keepOf returns the stochastic-depth factor of each of m rows; all rows of a sample share one.
func keepOf(keep *Tensor, m int) func(row int) float32 {
	if keep == nil {
		return func(int) float32 { return 1 }
	}
	factors := f32(keep)
	rows := m / max(len(factors), 1)
	return func(row int) float32 { return factors[row/rows] }
}

// LinearGrad first takes the upstream gradient back through what followed the product, then multiplies.
func (c *cpuBackend) LinearGrad(a LinearGradArgs) {
	m, k, n := a.X.shape[0], a.X.shape[1], a.W.shape[0]
	d := f32(a.DY) // at last the gradient of x·wᵀ + bias
	own := d
	if a.Pre != nil || a.Keep != nil || a.Gamma != nil {
		t, room := scratch(a.DY, m*n)
		defer t.Release()
		own = room
	}
	if a.Pre != nil || a.Keep != nil {
		d = own
	}
	t, sums := c.linearRowsGrad(a, d, m, n)
	defer t.Release()
	switch {
	case a.Gamma != nil:
		c.layerScaleGrad(a, d, sums, m, n, k)
		gamma := f32(a.Gamma)
		if a.DX.To != nil {
			split(m, n, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					c.vec.Mul(own[i*n:(i+1)*n], d[i*n:(i+1)*n], gamma)
				}
			})
			d = own
		}
	default:
		c.store(a.DBias, sums)
		if a.DW.To != nil {
			c.weightGrad(f32(a.DW.To), a.DW.Add, d, a, m, n, k)
		}
	}
	if a.DX.To != nil {
		c.set.MatMul(kernel.GemmArgs{
			M: m, N: k, K: n,
			A: d, ARow: n, ACol: 1,
			B: f32(a.W), BRow: k, BCol: 1,
			C: f32(a.DX.To), CRow: k, Accumulate: a.DX.Add,
			Precision: kernel.Precision(a.Precision),
		})
	}
}

// weightGrad is dst (+)= dᵀ·x, d [m, n].
func (c *cpuBackend) weightGrad(dst []float32, add bool, d []float32, a LinearGradArgs, m, n, k int) {
	c.set.MatMul(kernel.GemmArgs{
		M: n, N: k, K: m,
		A: d, ARow: 1, ACol: n,
		B: f32(a.X), BRow: k, BCol: 1,
		C: dst, CRow: k, Accumulate: add,
		Precision: kernel.Precision(a.Precision),
	})
}

// linearRowsGrad sets d to the gradient before GELU and keep, unless d is dy. When needed it also returns the sums of d over the rows
// [n], and the tensor that holds them.
func (c *cpuBackend) linearRowsGrad(a LinearGradArgs, d []float32, m, n int) (*Tensor, []float32) {
	v, dy, keep := c.vec, f32(a.DY), keepOf(a.Keep, m)
	if a.Pre == nil && a.Keep == nil && a.DBias.To == nil && a.DGamma.To == nil {
		m = 0
	}
	return c.reduceRows(a.DY, m, n, n, func(lo, hi int, sums []float32) {
		for i := lo; i < hi; i++ {
			row, up := d[i*n:(i+1)*n], dy[i*n:(i+1)*n]
			switch {
			case a.Pre != nil && a.Pre.dtype == BFloat16:
				v.FromBFloat16(row, u16(a.Pre)[i*n:(i+1)*n])
				v.GELUGrad(row, up, row)
			case a.Pre != nil:
				v.GELUGrad(row, up, f32(a.Pre)[i*n:(i+1)*n])
			case a.Keep != nil:
				v.Affine(row, up, keep(i), 0)
			}
			v.Add(sums, sums, row)
		}
	})
}

// layerScaleGrad writes the gradients of weight, bias and gamma for d, the gradient of gamma ⊙ (x·wᵀ + bias), and its sums over the rows.
func (c *cpuBackend) layerScaleGrad(a LinearGradArgs, d, sums []float32, m, n, k int) {
	gamma := f32(a.Gamma)
	bias := make([]float32, n)
	if a.Bias != nil {
		bias = f32(a.Bias)
	}
	t, room := scratch(a.DY, n+n*k)
	defer t.Release()
	each, g := room[:n], room[n:]
	c.vec.Mul(each, sums, gamma)
	c.store(a.DBias, each)
	if a.DW.To == nil && a.DGamma.To == nil {
		return
	}
	c.weightGrad(g, false, d, a, m, n, k)
	w := f32(a.W)
	split(n, 2*k, func(lo, hi int) {
		for j := lo; j < hi; j++ {
			row := g[j*k : (j+1)*k]
			if a.DGamma.To != nil {
				each[j] = c.vec.Dot(w[j*k:(j+1)*k], row) + bias[j]*sums[j]
			}
			switch {
			case a.DW.To == nil:
			case a.DW.Add:
				c.vec.AddScaled(f32(a.DW.To)[j*k:(j+1)*k], row, gamma[j])
			default:
				c.vec.Affine(f32(a.DW.To)[j*k:(j+1)*k], row, gamma[j], 0)
			}
		}
	})
	c.store(a.DGamma, each)
}
