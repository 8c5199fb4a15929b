package tensor

// CrossEntropy computes the mean cross-entropy, as CrossEntropyArgs describes. It allocates Loss (shape []) and LSE when they are nil,
// and returns the completed arguments. A label of K or more panics.
func CrossEntropy(a CrossEntropyArgs) CrossEntropyArgs {
	c := begin("CrossEntropy", "logits", a.Logits).with(a.Loss, a.LSE, a.Labels, a.Soft)
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

// CrossEntropyGrad returns the gradient with respect to the logits, times dloss[0]. a is the result of CrossEntropy.
func CrossEntropyGrad(dloss *Tensor, a CrossEntropyArgs) *Tensor {
	c := begin("CrossEntropyGrad", "dloss, lse, logits", dloss, a.LSE, a.Logits).with(a.Labels, a.Soft)
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
	if a.Labels == nil && a.Soft == nil {
		panic(&Error{Op: c.op, Reason: "labels and soft are nil: want one of them"})
	}
	c.must(a.Labels == nil || a.Soft == nil, "labels and soft targets exclude each other", a.Logits.shape)
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

// CosineLoss returns the mean of 1 − cos(x, target) over rows, with shape []. The cosine is taken along the last axis.
func CosineLoss(x, target *Tensor) *Tensor {
	c := begin("CosineLoss", "x, target", x, target)
	defer c.end()
	c.must(x.shape.Equal(target.shape), "shapes differ", x.shape, target.shape)
	loss := c.out()
	x, target = c.rows(x), c.rows(target)
	c.run(func(o Ops) { o.CosineLoss(loss, x, target) })
	return loss
}

// CosineLossGrad returns the gradient of CosineLoss with respect to x, times dloss[0].
func CosineLossGrad(dloss, x, target *Tensor) *Tensor {
	c := begin("CosineLossGrad", "dloss, x, target", dloss, x, target)
	defer c.end()
	c.must(x.shape.Equal(target.shape), "shapes differ", x.shape, target.shape)
	dx := c.out(x.shape...)
	x, target, dloss = c.rows(x), c.rows(target), c.vector(dloss, "dloss", 1)
	to := dx.Reshape(x.shape...)
	c.run(func(o Ops) { o.CosineLossGrad(to, dloss, x, target) })
	return dx
}

// ElementLoss returns the loss of each element of x with its target, of the same shape, as LossOp says. delta is that of LossHuber, above 0.
func ElementLoss(op LossOp, x, target *Tensor, delta float32) *Tensor {
	c := begin("ElementLoss", "x, target", x, target)
	defer c.end()
	c.elementLoss(op, x, target, delta)
	y := c.out(x.shape...)
	x, target = c.f32(x), c.f32(target)
	c.run(func(o Ops) { o.ElementLoss(op, y, x, target, delta) })
	return y
}

// ElementLossGrad returns the gradient of ElementLoss with respect to x. dy, the upstream gradient, has the shape of x, or one element that stands
// for all.
func ElementLossGrad(op LossOp, dy, x, target *Tensor, delta float32) *Tensor {
	c := begin("ElementLossGrad", "dy, x, target", dy, x, target)
	defer c.end()
	c.elementLoss(op, x, target, delta)
	c.must(dy.shape.Equal(x.shape) || dy.Size() == 1, "shapes differ", dy.shape, x.shape)
	dx := c.out(x.shape...)
	dy, x, target = c.f32(dy), c.f32(x), c.f32(target)
	c.run(func(o Ops) { o.ElementLossGrad(op, dx, dy, x, target, delta) })
	return dx
}

// elementLoss checks what ElementLoss gets.
func (c *call) elementLoss(op LossOp, x, target *Tensor, delta float32) {
	c.must(x.shape.Equal(target.shape), "shapes differ", x.shape, target.shape)
	mustf(op <= LossHuber, c.op, []Shape{x.shape}, "no loss %d", op)
	mustf(op != LossHuber || delta > 0, c.op, []Shape{x.shape}, "delta is %g, want more than 0", delta)
}
