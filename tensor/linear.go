package tensor

// Linear computes y = x·wᵀ + bias and the options of LinearArgs. x is [.., K]. Linear allocates Y and Pre when they are nil and needed,
// and returns the completed arguments.
//
// In this function and in the others with destinations in their arguments, a destination is contiguous. Sharing elements with an input
// panics, except where the type of the arguments allows it.
func Linear(a LinearArgs) LinearArgs {
	c := begin("Linear", "x, w", a.X, a.W).with(a.Y, a.Bias, a.Pre, a.Residual, a.Gamma, a.Keep)
	defer c.end()
	c.must(len(a.X.shape) > 0 && len(a.W.shape) == 2, "want x [.., K] and w [N, K]", a.X.shape, a.W.shape)
	c.must(a.X.Dim(-1) == a.W.Dim(1), "inner sizes differ", a.X.shape, a.W.shape)
	c.must(!a.GELU || a.Residual == nil, "GELU and a residual exclude each other", a.X.shape, a.W.shape)
	c.must(a.GELU || a.Pre == nil, "pre is what GELU is applied to, and there is none", a.X.shape, a.W.shape)
	c.must(a.Residual != nil || a.Gamma == nil && a.Keep == nil, "gamma and keep need a residual", a.X.shape, a.W.shape)
	n := a.W.Dim(0)
	shape := append(a.X.shape[:len(a.X.shape)-1:len(a.X.shape)-1], n)
	c.must(a.Residual == nil || a.Residual.shape.Equal(shape), "the residual has another shape than the result", shape)
	alloc := func(at **Tensor, need bool) {
		if need && *at == nil {
			*at = c.out(shape...)
		}
	}
	alloc(&a.Y, true)
	alloc(&a.Pre, a.GELU)
	size := Shape(shape).Size()
	b := a
	b.X, b.W, b.Bias = c.rows(a.X), c.f32(a.W), c.vector(a.Bias, "bias", n)
	flat := func(t *Tensor, what string) *Tensor {
		if t == nil {
			return nil
		}
		return c.dst(t, what, size).Reshape(-1, n)
	}
	b.Y, b.Pre = flat(a.Y, "y"), flat(a.Pre, "pre")
	b.Residual, b.Gamma = c.rows(a.Residual), c.vector(a.Gamma, "gamma", n)
	b.Keep = c.keep(a.Keep, b.X.shape[0])
	for _, dst := range []*Tensor{b.Y, b.Pre} {
		c.apart(dst, b.X, b.W, b.Bias, b.Gamma, b.Keep)
	}
	c.apartOrSame(b.Y, b.Residual)
	c.apart(b.Pre, b.Y, b.Residual)
	if n > 0 {
		c.runAt(b.Precision, matmul(b.X.shape[0], b.X.shape[1], n), func(o Ops) { o.Linear(b) })
	}
	return a
}

// keep checks the factors of stochastic depth: one for each sample, that is for each equal share of the rows.
func (c *call) keep(keep *Tensor, rows int) *Tensor {
	if keep == nil {
		return nil
	}
	c.must(len(keep.shape) == 1 && rows%max(keep.Size(), 1) == 0 && (keep.Size() > 0 || rows == 0), "want one factor for each sample", keep.shape)
	return c.f32(keep)
}

// LinearGrad computes those gradients of Linear that have a destination in a.
func LinearGrad(a LinearGradArgs) {
	c := begin("LinearGrad", "dy, x, w", a.DY, a.X, a.W).with(a.DX.To, a.DW.To, a.DBias.To, a.DGamma.To, a.Bias, a.Pre, a.Gamma, a.Keep)
	defer c.end()
	c.must(len(a.X.shape) > 0 && len(a.W.shape) == 2 && len(a.DY.shape) > 0, "want dy [.., N], x [.., K], w [N, K]", a.DY.shape, a.X.shape, a.W.shape)
	c.must(a.X.Dim(-1) == a.W.Dim(1) && a.DY.Dim(-1) == a.W.Dim(0), "sizes differ", a.DY.shape, a.X.shape, a.W.shape)
	c.must(a.DGamma.To == nil || a.Gamma != nil, "a gradient of gamma without gamma", a.DY.shape)
	c.must(a.Pre == nil || a.Gamma == nil && a.Keep == nil && a.DGamma.To == nil, "GELU excludes gamma and keep", a.DY.shape)
	c.must(a.Pre == nil || a.Pre.shape.Equal(a.DY.shape), "what was saved has another shape than dy", a.DY.shape, shapeOf(a.Pre))
	n := a.W.Dim(0)
	a.DX = c.gradRows(a.DX, "dx", a.X.Size(), a.X.Dim(-1))
	a.DW = c.grad(a.DW, "dw", a.W.Size())
	a.DBias, a.DGamma = c.grad(a.DBias, "dbias", n), c.grad(a.DGamma, "dgamma", n)
	a.DY, a.X, a.W = c.rows(a.DY), c.rows(a.X), c.f32(a.W)
	a.Pre = shaped(c.kept(a.Pre), a.DY.shape)
	a.Bias, a.Gamma, a.Keep = c.vector(a.Bias, "bias", n), c.vector(a.Gamma, "gamma", n), c.keep(a.Keep, a.X.shape[0])
	c.must(a.DY.shape[0] == a.X.shape[0], "row counts differ", a.DY.shape, a.X.shape)
	for _, g := range []Grad{a.DX, a.DW, a.DBias, a.DGamma} {
		c.apart(g.To, a.DY, a.X, a.W, a.Bias, a.Pre, a.Gamma, a.Keep)
	}
	flops := 0.0
	for _, g := range []Grad{a.DX, a.DW} {
		if g.To != nil {
			flops += matmul(a.X.shape[0], a.X.shape[1], n)
		}
	}
	c.runAt(a.Precision, flops, func(o Ops) { o.LinearGrad(a) })
}
