package tensor

import "slices"

// Reduce reduces an axis with op. The result has one axis less.
func Reduce(op ReduceOp, x *Tensor, axis int) *Tensor { return reduce("Reduce", op, x, axis) }

// Sum returns the sum over an axis. The result has one axis less.
func Sum(x *Tensor, axis int) *Tensor { return reduce("Sum", ReduceSum, x, axis) }

// Mean returns the mean over an axis. The result has one axis less.
func Mean(x *Tensor, axis int) *Tensor { return reduce("Mean", ReduceMean, x, axis) }

// reduce is Reduce for a call of the function of that name.
func reduce(name string, op ReduceOp, x *Tensor, axis int) *Tensor {
	c := begin(name, "x", x)
	defer c.end()
	axis = x.axis(c.op, axis)
	n := x.shape[axis]
	y := c.out(slices.Delete(slices.Clone(x.shape), axis, axis+1)...)
	outer, inner := x.shape[:axis].Size(), x.shape[axis+1:].Size()
	x = c.f32(x)
	c.run(func(o Ops) { o.Reduce(op, y, x, outer, n, inner) })
	return y
}

// CumSum returns the sums along an axis up to and with each element, Float32 of the shape of x.
func CumSum(x *Tensor, axis int) *Tensor { return cumSum("CumSum", x, axis, false) }

// CumSumGrad returns the gradient of CumSum: the sums of dy along the axis from each element on.
func CumSumGrad(dy *Tensor, axis int) *Tensor { return cumSum("CumSumGrad", dy, axis, true) }

// cumSum is CumSum or CumSumGrad for a call of op.
func cumSum(op string, x *Tensor, axis int, reverse bool) *Tensor {
	c := begin(op, "x", x)
	defer c.end()
	axis = x.axis(c.op, axis)
	outer, n, inner := x.shape[:axis].Size(), x.shape[axis], x.shape[axis+1:].Size()
	y := c.out(x.shape...)
	x = c.f32(x)
	c.run(func(o Ops) { o.CumSum(y, x, outer, n, inner, reverse) })
	return y
}

// SumTo sums x over the axes along which a tensor of the given shape was broadcast to the shape of x. It is the gradient of Expand.
func SumTo(x *Tensor, shape Shape) *Tensor {
	begin("SumTo", "x", x)
	common, ok := Broadcast(x.shape, shape)
	mustf(ok && len(shape) <= len(x.shape) && common.Equal(x.shape), "SumTo", []Shape{x.shape, shape}, "not broadcastable")
	y := x.Contiguous()
	lead := len(x.shape) - len(shape)
	for i := len(x.shape) - 1; i >= 0; i-- {
		if i >= lead && shape[i-lead] == x.shape[i] {
			continue
		}
		r := reduce("SumTo", ReduceSum, y, i)
		y.Release()
		y = r.Reshape(slices.Insert(slices.Clone(r.shape), i, 1)...)
	}
	return y.Reshape(shape...)
}

// ArgMax returns the index of the first maximum along the last axis, as Int32.
func ArgMax(x *Tensor) *Tensor {
	c := begin("ArgMax", "x", x)
	defer c.end()
	return c.argMax(x)
}

// ArgMaxAlong is ArgMax along any axis. The result has one axis less.
func ArgMaxAlong(x *Tensor, axis int) *Tensor {
	c := begin("ArgMaxAlong", "x", x)
	defer c.end()
	return c.argMax(x.toLast(x.axis(c.op, axis)))
}

// toLast is x with an axis moved behind the others.
func (t *Tensor) toLast(axis int) *Tensor {
	order := make([]int, 0, len(t.shape))
	for i := range t.shape {
		if i != axis {
			order = append(order, i)
		}
	}
	return t.Permute(append(order, axis)...)
}

func (c *call) argMax(x *Tensor) *Tensor {
	m := c.rows(x)
	c.must(m.shape[1] > 0, "nothing to choose from", x.shape)
	y := newTensor(c.dev, c.op, Int32, x.shape[:len(x.shape)-1]...)
	c.run(func(o Ops) { o.ArgMax(y, m) })
	return y
}

// TopK returns the k largest elements along the last axis of x, Float32 [.., K], in descending order, and their indices, Int32. Both are [.., k]. Of
// equal elements the first comes first, and NaN counts as larger than any number. It panics unless 0 ≤ k ≤ K.
func TopK(x *Tensor, k int) (values, index *Tensor) {
	c := begin("TopK", "x", x)
	defer c.end()
	rows := c.rows(x)
	mustf(0 <= k && k <= rows.shape[1], c.op, []Shape{x.shape}, "%d of %d elements", k, rows.shape[1])
	shape := slices.Clone(x.shape)
	shape[len(shape)-1] = k
	values, index = c.out(shape...), newTensor(c.dev, c.op, Int32, shape...)
	v, i := values.Reshape(rows.shape[0], k), index.Reshape(rows.shape[0], k)
	c.run(func(o Ops) { o.TopK(v, i, rows) })
	return values, index
}

// Softmax returns the softmax over the last axis.
func Softmax(x *Tensor) *Tensor { return softmax("Softmax", x, false) }

// LogSoftmax returns the logarithm of the softmax over the last axis, x − log Σ exp(x).
func LogSoftmax(x *Tensor) *Tensor { return softmax("LogSoftmax", x, true) }

// softmax is Softmax or LogSoftmax for a call of op.
func softmax(op string, x *Tensor, log bool) *Tensor {
	c := begin(op, "x", x)
	defer c.end()
	rows := c.rows(x)
	y := c.out(x.shape...)
	to := y.Reshape(rows.shape...)
	c.run(func(o Ops) { o.Softmax(to, rows, log) })
	return y
}

// SoftmaxGrad returns the gradient y·(dy − Σ dy·y), where y = Softmax(x).
func SoftmaxGrad(dy, y *Tensor) *Tensor { return softmaxGrad("SoftmaxGrad", dy, y, false) }

// LogSoftmaxGrad returns the gradient dy − exp(y)·Σ dy, where y = LogSoftmax(x).
func LogSoftmaxGrad(dy, y *Tensor) *Tensor { return softmaxGrad("LogSoftmaxGrad", dy, y, true) }

// softmaxGrad is SoftmaxGrad or LogSoftmaxGrad for a call of op.
func softmaxGrad(op string, dy, y *Tensor, log bool) *Tensor {
	c := begin(op, "dy, y", dy, y)
	defer c.end()
	c.must(dy.shape.Equal(y.shape), "shapes differ", dy.shape, y.shape)
	rows := c.rows(y)
	dx := c.out(y.shape...)
	to := dx.Reshape(rows.shape...)
	dy = c.rows(dy)
	c.run(func(o Ops) { o.SoftmaxGrad(to, dy, rows, log) })
	return dx
}
