package tensor

// Dropout returns x with a part of its elements replaced by 0, and the others multiplied by 1/(1 − rate). An element is dropped with probability rate, by
// the numbers of r from the first on, in row-major order: inner elements that follow each other share a number, 1 for each its own. A new generator
// of the same seed and path drops the same elements on every device, so Dropout of the gradient by it is the gradient. r itself does not change.
// It panics unless 0 ≤ rate < 1 and inner divides the size of x.
func Dropout(x *Tensor, r *Rand, rate float64, inner int) *Tensor {
	c := begin("Dropout", "x", x)
	defer c.end()
	x = c.f32(x)
	c.must(r != nil, "the generator is nil", x.shape)
	mustf(rate >= 0 && rate < 1, c.op, []Shape{x.shape}, "rate is %v, want 0 ≤ rate < 1", rate)
	c.must(inner > 0 && x.Size()%inner == 0, "want a size that is a multiple of the elements that share a number", x.shape, Shape{inner})
	y := c.out(x.shape...)
	below, scale := uint32(rate*(1<<32)), float32(1/(1-rate))
	c.run(func(o Ops) { o.Dropout(y, x, r, below, scale, inner) })
	return y
}
