package tensor

// LayerNorm normalises the last axis, as LayerNormArgs describes. It allocates Y, Mean and Rstd when they are nil, and returns the
// completed arguments.
func LayerNorm(a LayerNormArgs) LayerNormArgs {
	c := begin("LayerNorm", "x, w, b", a.X, a.W, a.B).with(a.Y, a.Mean, a.Rstd)
	defer c.end()
	x := c.rows(a.X)
	m, d := x.shape[0], x.shape[1]
	c.must(d > 0 && a.W.Size() == d && a.B.Size() == d, "want w and b of the last axis", a.X.shape, a.W.shape, a.B.shape)
	if a.Y == nil {
		a.Y = c.out(a.X.shape...)
	}
	if a.Mean == nil {
		a.Mean = c.out(m)
	}
	if a.Rstd == nil {
		a.Rstd = c.out(m)
	}
	b := a
	b.X, b.W, b.B = x, c.f32(a.W), c.f32(a.B)
	b.Y = c.dst(a.Y, "y", m*d).Reshape(m, d)
	b.Mean, b.Rstd = c.dst(a.Mean, "mean", m), c.dst(a.Rstd, "rstd", m)
	for _, dst := range []*Tensor{b.Y, b.Mean, b.Rstd} {
		c.apart(dst, b.X, b.W, b.B)
	}
	c.apart(b.Y, b.Mean, b.Rstd)
	c.run(func(o Ops) { o.LayerNorm(b) })
	return a
}

// LayerNormGrad computes those gradients of LayerNorm that have a destination in a.
func LayerNormGrad(a LayerNormGradArgs) {
	c := begin("LayerNormGrad", "dy, x, w, mean, rstd", a.DY, a.X, a.W, a.Mean, a.Rstd).with(a.DX.To, a.DW.To, a.DB.To)
	defer c.end()
	c.must(a.DY.shape.Equal(a.X.shape), "shapes differ", a.DY.shape, a.X.shape)
	c.must(len(a.X.shape) > 0 && a.X.Dim(-1) > 0, "want x [.., D]", a.X.shape)
	d := a.X.Dim(-1)
	a.DX = c.gradRows(a.DX, "dx", a.X.Size(), d)
	a.DW, a.DB = c.grad(a.DW, "dw", d), c.grad(a.DB, "db", d)
	a.DY, a.X, a.W = c.rows(a.DY), c.rows(a.X), c.vector(a.W, "w", d)
	a.Mean, a.Rstd = c.vector(a.Mean, "mean", a.X.shape[0]), c.vector(a.Rstd, "rstd", a.X.shape[0])
	for _, g := range []Grad{a.DX, a.DW, a.DB} {
		c.apart(g.To, a.DY, a.X, a.W, a.Mean, a.Rstd)
	}
	c.run(func(o Ops) { o.LayerNormGrad(a) })
}

// L2Normalize returns y = x/max(‖x‖, eps) over the last axis, and the norms ‖x‖ in the shape of x without that axis.
func L2Normalize(x *Tensor, eps float32) (y, norm *Tensor) {
	c := begin("L2Normalize", "x", x)
	defer c.end()
	rows := c.rows(x)
	y, norm = c.out(x.shape...), c.out(x.shape[:len(x.shape)-1]...)
	to := y.Reshape(rows.shape...)
	c.run(func(o Ops) { o.L2Normalize(to, norm, rows, eps) })
	return y, norm
}

// L2NormalizeGrad returns the gradient with respect to x. y and norm are the results of L2Normalize.
func L2NormalizeGrad(dy, y, norm *Tensor, eps float32) *Tensor {
	c := begin("L2NormalizeGrad", "dy, y, norm", dy, y, norm)
	defer c.end()
	c.must(dy.shape.Equal(y.shape), "shapes differ", dy.shape, y.shape)
	rows := c.rows(y)
	dx := c.out(y.shape...)
	to := dx.Reshape(rows.shape...)
	dy, norm = c.rows(dy), c.vector(norm, "norm", rows.shape[0])
	c.run(func(o Ops) { o.L2NormalizeGrad(to, dy, rows, norm, eps) })
	return dx
}
