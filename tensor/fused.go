package tensor

// Linear computes y = x·wᵀ + bias and what LinearArgs says may follow. X is [.., K]; Y and Pre are
// allocated where the options need them and they are nil. It returns the completed arguments.
//
// Here and in the other functions that are given their destinations, these are contiguous, and sharing elements with an input
// panics where the arguments' type does not allow it.
func Linear(a LinearArgs) LinearArgs {
	c := begin("Linear", a.Y, a.X, a.W, a.Bias, a.Pre, a.Residual, a.Gamma, a.Keep)
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
		c.runAt(b.Precision, func(o Ops) { o.Linear(b) })
	}
	return a
}

// keep checks the factors of stochastic depth: one for each of an equal share of the rows.
func (c *call) keep(keep *Tensor, rows int) *Tensor {
	if keep == nil {
		return nil
	}
	c.must(len(keep.shape) == 1 && rows%max(keep.Size(), 1) == 0 && (keep.Size() > 0 || rows == 0), "want one factor for each sample", keep.shape)
	return c.f32(keep)
}

// LinearGrad computes the gradients of Linear that a asks for.
func LinearGrad(a LinearGradArgs) {
	c := begin("LinearGrad", a.DX.To, a.DW.To, a.DBias.To, a.DGamma.To, a.DY, a.X, a.W, a.Bias, a.Pre, a.Gamma, a.Keep)
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
	a.DY, a.X, a.W, a.Pre = c.rows(a.DY), c.rows(a.X), c.f32(a.W), c.rows(a.Pre)
	a.Bias, a.Gamma, a.Keep = c.vector(a.Bias, "bias", n), c.vector(a.Gamma, "gamma", n), c.keep(a.Keep, a.X.shape[0])
	c.must(a.DY.shape[0] == a.X.shape[0], "row counts differ", a.DY.shape, a.X.shape)
	for _, g := range []Grad{a.DX, a.DW, a.DBias, a.DGamma} {
		c.apart(g.To, a.DY, a.X, a.W, a.Bias, a.Pre, a.Gamma, a.Keep)
	}
	c.runAt(a.Precision, func(o Ops) { o.LinearGrad(a) })
}

// gradRows is grad with the destination seen as [M, d].
func (c *call) gradRows(g Grad, what string, size, d int) Grad {
	c.grad(g, what, size)
	if g.To != nil && d > 0 {
		g.To = g.To.Reshape(-1, d)
	}
	return g
}

// Attention computes softmax(scale·q·kᵀ + bias)·v as AttentionArgs describes; Out and LSE are allocated when nil.
func Attention(a AttentionArgs) AttentionArgs {
	c := begin("Attention", a.Out, a.LSE, a.QKV, a.Bias)
	defer c.end()
	b, n, w := c.heads(a.QKV, a.Bias, a.Heads)
	if a.Out == nil {
		a.Out = c.out(b, n, w)
	}
	if a.LSE == nil {
		a.LSE = c.out(b, a.Heads, n)
	}
	d := a
	d.Out, d.LSE = c.dst(a.Out, "out", b*n*w), c.dst(a.LSE, "lse", b*a.Heads*n)
	d.QKV, d.Bias = c.f32(a.QKV), c.f32(a.Bias)
	c.apart(d.Out, d.LSE, d.QKV, d.Bias)
	c.apart(d.LSE, d.QKV, d.Bias)
	c.runAt(d.Precision, func(o Ops) { o.Attention(d) })
	return a
}

// shapeOf is t's shape for an error, [] for nil.
func shapeOf(t *Tensor) Shape {
	if t == nil {
		return nil
	}
	return t.shape
}

// heads checks qkv [B, N, 3·H·D] and bias [H, N, N] or nil, and returns B, N and H·D.
func (c *call) heads(qkv, bias *Tensor, heads int) (b, n, width int) {
	c.must(len(qkv.shape) == 3 && heads > 0 && qkv.Dim(2)%(3*heads) == 0, "want qkv [B, N, 3·H·D]", qkv.shape, Shape{heads})
	b, n, width = qkv.Dim(0), qkv.Dim(1), qkv.Dim(2)/3
	c.must(bias == nil || bias.shape.Equal(Shape{heads, n, n}), "want bias [H, N, N]", qkv.shape, shapeOf(bias))
	return b, n, width
}

// AttentionGrad computes the gradients of Attention that a asks for.
func AttentionGrad(a AttentionGradArgs) {
	c := begin("AttentionGrad", a.DQKV.To, a.DBias.To, a.DOut, a.Out, a.LSE, a.QKV, a.Bias)
	defer c.end()
	b, n, w := c.heads(a.QKV, a.Bias, a.Heads)
	c.must(a.DOut.shape.Equal(a.Out.shape) && a.Out.shape.Equal(Shape{b, n, w}), "sizes differ", a.DOut.shape, a.Out.shape, a.QKV.shape)
	a.DQKV, a.DBias = c.grad(a.DQKV, "dqkv", a.QKV.Size()), c.grad(a.DBias, "dbias", a.Heads*n*n)
	a.DOut, a.Out, a.LSE, a.QKV, a.Bias = c.f32(a.DOut), c.f32(a.Out), c.vector(a.LSE, "lse", b*a.Heads*n), c.f32(a.QKV), c.f32(a.Bias)
	for _, g := range []Grad{a.DQKV, a.DBias} {
		c.apart(g.To, a.DOut, a.Out, a.LSE, a.QKV, a.Bias)
	}
	c.runAt(a.Precision, func(o Ops) { o.AttentionGrad(a) })
}

// LayerNorm normalises the last axis as LayerNormArgs describes; Y, Mean and Rstd are allocated when nil.
func LayerNorm(a LayerNormArgs) LayerNormArgs {
	c := begin("LayerNorm", a.Y, a.Mean, a.Rstd, a.X, a.W, a.B)
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

// LayerNormGrad computes the gradients of LayerNorm that a asks for.
func LayerNormGrad(a LayerNormGradArgs) {
	c := begin("LayerNormGrad", a.DX.To, a.DW.To, a.DB.To, a.DY, a.X, a.W, a.Mean, a.Rstd)
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

// L2Normalize returns y = x/max(‖x‖, eps) over the last axis and the norms, of x's shape without that axis.
func L2Normalize(x *Tensor, eps float32) (y, norm *Tensor) {
	c := begin("L2Normalize", x)
	defer c.end()
	rows := c.rows(x)
	y, norm = c.out(x.shape...), c.out(x.shape[:len(x.shape)-1]...)
	to := y.Reshape(rows.shape...)
	c.run(func(o Ops) { o.L2Normalize(to, norm, rows, eps) })
	return y, norm
}

// L2NormalizeGrad returns the gradient with respect to x; y and norm are L2Normalize's.
func L2NormalizeGrad(dy, y, norm *Tensor, eps float32) *Tensor {
	c := begin("L2NormalizeGrad", dy, y, norm)
	defer c.end()
	c.must(dy.shape.Equal(y.shape), "shapes differ", dy.shape, y.shape)
	rows := c.rows(y)
	dx := c.out(y.shape...)
	to := dx.Reshape(rows.shape...)
	dy, norm = c.rows(dy), c.vector(norm, "norm", rows.shape[0])
	c.run(func(o Ops) { o.L2NormalizeGrad(to, dy, rows, norm, eps) })
	return dx
}

// CrossEntropy computes the mean cross-entropy as CrossEntropyArgs describes; Loss (shape []) and LSE are allocated when nil.
// A label of K or more panics.
func CrossEntropy(a CrossEntropyArgs) CrossEntropyArgs {
	c := begin("CrossEntropy", a.Loss, a.LSE, a.Logits, a.Labels, a.Soft)
	defer c.end()
	r := c.rows(a.Logits).shape[0]
	if a.Loss == nil {
		a.Loss = c.out()
	}
	if a.LSE == nil {
		a.LSE = c.out(r)
	}
	f := c.crossEntropy(a)
	c.apart(f.LSE, f.Logits, f.Labels, f.Soft)
	c.apart(f.Loss, f.Logits, f.Labels, f.Soft, f.LSE)
	c.run(func(o Ops) { o.CrossEntropy(f) })
	return a
}

// CrossEntropyGrad returns the gradient with respect to the logits, times dloss[0]. a is what CrossEntropy returned.
func CrossEntropyGrad(dloss *Tensor, a CrossEntropyArgs) *Tensor {
	c := begin("CrossEntropyGrad", dloss, a.LSE, a.Logits, a.Labels, a.Soft)
	defer c.end()
	a.Loss = nil // may be released by now; it is not needed
	f := c.crossEntropy(a)
	d := c.out(a.Logits.shape...)
	to := d.Reshape(f.Logits.shape...)
	dloss = c.vector(dloss, "dloss", 1)
	c.run(func(o Ops) { o.CrossEntropyGrad(to, dloss, f) })
	return d
}

func (c *call) crossEntropy(a CrossEntropyArgs) CrossEntropyArgs {
	logits := c.rows(a.Logits)
	r, k := logits.shape[0], logits.shape[1]
	c.must(k > 0, "no classes", a.Logits.shape)
	c.must((a.Labels == nil) != (a.Soft == nil), "want either labels or soft targets", a.Logits.shape)
	if a.Labels != nil {
		c.must(a.Labels.Size() == r, "want one label for each row", a.Logits.shape, a.Labels.shape)
		a.Labels = c.in(a.Labels, Int32)
	} else {
		c.must(a.Soft.shape.Equal(a.Logits.shape), "shapes differ", a.Logits.shape, a.Soft.shape)
		a.Soft = c.rows(a.Soft)
	}
	a.Logits, a.Loss, a.LSE = logits, c.dst(a.Loss, "loss", 1), c.dst(a.LSE, "lse", r)
	return a
}

// CosineLoss returns the mean over rows of 1 − cos(x, t), shape []; the last axis is compared.
func CosineLoss(x, t *Tensor) *Tensor {
	c := begin("CosineLoss", x, t)
	defer c.end()
	c.must(x.shape.Equal(t.shape), "shapes differ", x.shape, t.shape)
	loss := c.out()
	x, t = c.rows(x), c.rows(t)
	c.run(func(o Ops) { o.CosineLoss(loss, x, t) })
	return loss
}

// CosineLossGrad returns the gradient of CosineLoss with respect to x, times dloss[0].
func CosineLossGrad(dloss, x, t *Tensor) *Tensor {
	c := begin("CosineLossGrad", dloss, x, t)
	defer c.end()
	c.must(x.shape.Equal(t.shape), "shapes differ", x.shape, t.shape)
	dx := c.out(x.shape...)
	x, t, dloss = c.rows(x), c.rows(t), c.vector(dloss, "dloss", 1)
	to := dx.Reshape(x.shape...)
	c.run(func(o Ops) { o.CosineLossGrad(to, dloss, x, t) })
	return dx
}
