package tensor

import "math"

// LayerNorm normalises each row.
func (c *cpuBackend) LayerNorm(a LayerNormArgs) {
	y, x, w, b, mean, rstd := f32(a.Y), f32(a.X), f32(a.W), f32(a.B), f32(a.Mean), f32(a.Rstd)
	c.rows(a.X, func(lo, hi, d int) {
		for m := lo; m < hi; m++ {
			mean[m], rstd[m] = c.vec.LayerNorm(y[m*d:(m+1)*d], x[m*d:(m+1)*d], w, b, a.Eps)
		}
	})
}

// LayerNormGrad takes each row's gradient and sums those of w and b over the rows.
func (c *cpuBackend) LayerNormGrad(a LayerNormGradArgs) {
	m, d := a.X.shape[0], a.X.shape[1]
	dy, x, w, mean, rstd := f32(a.DY), f32(a.X), f32(a.W), f32(a.Mean), f32(a.Rstd)
	params := a.DW.To != nil || a.DB.To != nil
	t, sums := c.reduceRows(a.X, m, 4*d, 2*d, func(lo, hi int, part []float32) {
		for i := lo; i < hi; i++ {
			g, s := dy[i*d:(i+1)*d], x[i*d:(i+1)*d]
			if params {
				c.vec.LayerNormParamGrad(part[:d], part[d:], g, s, mean[i], rstd[i])
			}
			if a.DX.To != nil {
				c.vec.LayerNormGrad(f32(a.DX.To)[i*d:(i+1)*d], g, s, w, mean[i], rstd[i], a.DX.Add)
			}
		}
	})
	defer t.Release()
	c.store(a.DW, sums[:d])
	c.store(a.DB, sums[d:])
}

// L2Normalize divides each row by its norm.
func (c *cpuBackend) L2Normalize(y, norm, x *Tensor, eps float32) {
	out, s, norms := f32(y), f32(x), f32(norm)
	if x.shape[1] == 0 {
		clear(norms)
	}
	c.rows(x, func(lo, hi, d int) {
		for m := lo; m < hi; m++ {
			row := s[m*d : (m+1)*d]
			norms[m] = float32(math.Sqrt(c.vec.SumSquares(row)))
			c.vec.Affine(out[m*d:(m+1)*d], row, 1/max(norms[m], eps), 0)
		}
	})
}

// L2NormalizeGrad takes each row's gradient: what is left of dy across y, over the norm.
func (c *cpuBackend) L2NormalizeGrad(dx, dy, y, norm *Tensor, eps float32) {
	out, g, s, norms := f32(dx), f32(dy), f32(y), f32(norm)
	c.rows(y, func(lo, hi, d int) {
		for m := lo; m < hi; m++ {
			o, up, row := out[m*d:(m+1)*d], g[m*d:(m+1)*d], s[m*d:(m+1)*d]
			if norms[m] <= eps {
				c.vec.Affine(o, up, 1/eps, 0)
				continue
			}
			along := c.vec.Dot(row, up)
			inv := 1 / norms[m]
			c.vec.Affine(o, up, inv, 0)
			c.vec.AddScaled(o, row, -along*inv)
		}
	})
}
