package tensor

// channels is x [B, C, ..], contiguous, seen as [B, C, N].
func (c *call) channels(x *Tensor) *Tensor {
	c.must(len(x.shape) >= 2, "want [B, C, ..]", x.shape)
	return c.f32(x).Reshape(x.shape[0], x.shape[1], x.shape[2:].Size())
}

// BatchStats returns mean and variance of each channel of x [B, C, ..] over all other axes, both [C]. The variance is the biased one, the mean of
// squared differences. It panics when there are no values.
func BatchStats(x *Tensor) (mean, variance *Tensor) {
	c := begin("BatchStats", "x", x)
	defer c.end()
	in := c.channels(x)
	c.must(in.shape[0]*in.shape[2] > 0, "want at least one value for each channel", x.shape)
	mean, variance = c.out(in.shape[1]), c.out(in.shape[1])
	c.run(func(o Ops) { o.BatchStats(mean, variance, in) })
	return mean, variance
}

// BatchNorm returns (x − mean)·w/√(variance + eps) + b for each channel of x [B, C, ..]. mean, variance, w and b are [C].
func BatchNorm(x, mean, variance, w, b *Tensor, eps float32) *Tensor {
	c := begin("BatchNorm", "x, mean, variance, w, b", x, mean, variance, w, b)
	defer c.end()
	in := c.channels(x)
	n := in.shape[1]
	mean, variance, w, b = c.vector(mean, "mean", n), c.vector(variance, "variance", n), c.vector(w, "w", n), c.vector(b, "b", n)
	y := c.out(x.shape...)
	to := y.Reshape(in.shape...)
	c.run(func(o Ops) { o.BatchNorm(to, in, mean, variance, w, b, eps) })
	return y
}

// BatchNormSums returns what the gradients of BatchNorm need of dy and x, both [B, C, ..]: [2, C], first Σ dy·x̂, which is the gradient of w, then Σ dy, which
// is that of b. x̂ is (x − mean)/√(variance + eps). mean and variance are [C].
func BatchNormSums(dy, x, mean, variance *Tensor, eps float32) *Tensor {
	c := begin("BatchNormSums", "dy, x, mean, variance", dy, x, mean, variance)
	defer c.end()
	c.must(dy.shape.Equal(x.shape), "shapes differ", dy.shape, x.shape)
	dy, x = c.channels(dy), c.channels(x)
	n := x.shape[1]
	mean, variance = c.vector(mean, "mean", n), c.vector(variance, "variance", n)
	sums := c.out(2, n)
	c.run(func(o Ops) { o.BatchNormSums(sums, dy, x, mean, variance, eps) })
	return sums
}

// BatchNormGrad computes the gradient with respect to the input of BatchNorm, as BatchNormGradArgs describes; DY, X and DX may have any number of axes
// after the second. Without a destination it does nothing.
func BatchNormGrad(a BatchNormGradArgs) {
	c := begin("BatchNormGrad", "dy, x, w, mean, var", a.DY, a.X, a.W, a.Mean, a.Var).with(a.DX.To, a.Sums)
	defer c.end()
	c.must(a.DY.shape.Equal(a.X.shape), "shapes differ", a.DY.shape, a.X.shape)
	a.DX = c.grad(a.DX, "dx", a.X.Size())
	a.DY, a.X = c.channels(a.DY), c.channels(a.X)
	n := a.X.shape[1]
	a.W, a.Mean, a.Var = c.vector(a.W, "w", n), c.vector(a.Mean, "mean", n), c.vector(a.Var, "var", n)
	a.Sums = c.vector(a.Sums, "sums", 2*n)
	c.must(a.Sums == nil || a.Count > 0, "want the number of values for each channel", a.X.shape, Shape{a.Count})
	if a.DX.To == nil {
		return
	}
	a.DX.To = a.DX.To.Reshape(a.X.shape...)
	c.apart(a.DX.To, a.DY, a.X, a.W, a.Mean, a.Var, a.Sums)
	c.run(func(o Ops) { o.BatchNormGrad(a) })
}
