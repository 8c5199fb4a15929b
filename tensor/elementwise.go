package tensor

import "fmt"

// Unary returns op applied to each element of x, Float32 or BFloat16 of any shape, as Float32.
func Unary(op UnaryOp, x *Tensor) *Tensor { return unary("Unary", op, x) }

// Exp returns e to the power of x.
func Exp(x *Tensor) *Tensor { return unary("Exp", UnaryExp, x) }

// Log returns the natural logarithm of x.
func Log(x *Tensor) *Tensor { return unary("Log", UnaryLog, x) }

// Sqrt returns the square root of x.
func Sqrt(x *Tensor) *Tensor { return unary("Sqrt", UnarySqrt, x) }

// Abs returns |x|.
func Abs(x *Tensor) *Tensor { return unary("Abs", UnaryAbs, x) }

// ReLU returns max(x, 0).
func ReLU(x *Tensor) *Tensor { return unary("ReLU", UnaryReLU, x) }

// Sigmoid returns 1/(1 + exp(−x)).
func Sigmoid(x *Tensor) *Tensor { return unary("Sigmoid", UnarySigmoid, x) }

// GELU returns x·Φ(x), the exact form of GELU.
func GELU(x *Tensor) *Tensor { return unary("GELU", UnaryGELU, x) }

// Tanh returns tanh(x).
func Tanh(x *Tensor) *Tensor { return unary("Tanh", UnaryTanh, x) }

// unary is Unary for a call of the function of that name.
func unary(name string, op UnaryOp, x *Tensor) *Tensor {
	c := begin(name, "x", x)
	defer c.end()
	x = c.kept(x)
	y := c.out(x.shape...)
	c.run(func(o Ops) { o.Unary(op, y, x) })
	return y
}

// UnaryGrad returns the gradient dy·op'(x), where y = Unary(op, x). x or y may be nil where op.Needs does not ask for it.
func UnaryGrad(op UnaryOp, dy, x, y *Tensor) *Tensor {
	c := begin("UnaryGrad", "dy", dy).with(x, y)
	defer c.end()
	needsX, needsY := op.Needs()
	if needsX {
		c.need("x", x)
	}
	if needsY {
		c.need("y", y)
	}
	for _, t := range []*Tensor{x, y} {
		c.must(t == nil || t.shape.Equal(dy.shape), "shapes differ", dy.shape, shapeOf(t))
	}
	dx := c.out(dy.shape...)
	dy, x, y = c.f32(dy), c.f32(x), c.f32(y)
	c.run(func(o Ops) { o.UnaryGrad(op, dx, dy, x, y) })
	return dx
}

// Binary returns op applied to the elements of a and b, broadcast as in NumPy. Both are Float32, or both are Int32; see BinaryOp.
func Binary(op BinaryOp, a, b *Tensor) *Tensor { return binary("Binary", op, a, b) }

// binary is Binary for a call of the function of that name.
func binary(name string, op BinaryOp, a, b *Tensor) *Tensor {
	c := begin(name, "a, b", a, b)
	shape, ok := Broadcast(a.shape, b.shape)
	c.must(ok, "not broadcastable", a.shape, b.shape)
	dst := newTensor(c.dev, c.op, op.gives(a.dtype), shape...)
	c.binary(dst, op, a, b)
	return dst
}

// gives is the dtype of the results of op on elements of a dtype.
func (op BinaryOp) gives(of DType) DType {
	if op >= BinaryGreater {
		return Float32
	}
	return of
}

// BinaryInto is Binary with the result in dst, which is contiguous. dst may be a or b when that is contiguous and has dst's size; other
// shared elements panic.
func BinaryInto(dst *Tensor, op BinaryOp, a, b *Tensor) {
	c := begin("BinaryInto", "dst, a, b", dst, a, b)
	shape, ok := Broadcast(a.shape, b.shape)
	c.must(ok && shape.Equal(dst.shape), "not broadcastable to the result", a.shape, b.shape, dst.shape)
	c.binary(dst, op, a, b)
}

// binary computes dst, of the shape to which a and b are broadcast.
func (c *call) binary(dst *Tensor, op BinaryOp, a, b *Tensor) {
	mustf(a.dtype == b.dtype && a.dtype != BFloat16, c.op, []Shape{a.shape, b.shape}, "dtypes %v and %v, want float32 or int32 of both", a.dtype, b.dtype)
	mustf(a.dtype == Float32 || op != BinaryDiv && op != BinaryPow, c.op, []Shape{a.shape, b.shape}, "there is none of int32: cast to float32")
	dst.inPlace(c.op, op.gives(a.dtype))
	c.apartOrSame(dst, a, b)
	a, b = a.Expand(dst.shape...), b.Expand(dst.shape...)
	c.run(func(o Ops) { o.Binary(op, dst, a, b) })
}

// Add returns a + b, broadcast. Like Sub, Mul, Maximum, Minimum and comparisons it takes Float32 or Int32, and sums of Int32 wrap around.
func Add(a, b *Tensor) *Tensor { return binary("Add", BinaryAdd, a, b) }

// Sub returns a − b, broadcast.
func Sub(a, b *Tensor) *Tensor { return binary("Sub", BinarySub, a, b) }

// Mul returns a·b elementwise, broadcast.
func Mul(a, b *Tensor) *Tensor { return binary("Mul", BinaryMul, a, b) }

// Div returns a/b elementwise, broadcast.
func Div(a, b *Tensor) *Tensor { return binary("Div", BinaryDiv, a, b) }

// Pow returns a to the power of b elementwise, broadcast, with the special cases of math.Pow.
func Pow(a, b *Tensor) *Tensor { return binary("Pow", BinaryPow, a, b) }

// Maximum returns the larger of a and b elementwise, broadcast. It is NaN where one of them is.
func Maximum(a, b *Tensor) *Tensor { return binary("Maximum", BinaryMax, a, b) }

// Minimum returns the smaller of a and b elementwise, broadcast. It is NaN where one of them is.
func Minimum(a, b *Tensor) *Tensor { return binary("Minimum", BinaryMin, a, b) }

// Greater returns 1 where a > b, else 0, broadcast.
func Greater(a, b *Tensor) *Tensor { return binary("Greater", BinaryGreater, a, b) }

// GreaterEqual returns 1 where a ≥ b, else 0, broadcast.
func GreaterEqual(a, b *Tensor) *Tensor { return binary("GreaterEqual", BinaryGreaterEqual, a, b) }

// Less returns 1 where a < b, else 0, broadcast.
func Less(a, b *Tensor) *Tensor { return compared("Less", BinaryGreater, a, b) }

// LessEqual returns 1 where a ≤ b, else 0, broadcast.
func LessEqual(a, b *Tensor) *Tensor { return compared("LessEqual", BinaryGreaterEqual, a, b) }

// Equal returns 1 where a = b, else 0, broadcast.
func Equal(a, b *Tensor) *Tensor { return binary("Equal", BinaryEqual, a, b) }

// NotEqual returns 1 where a ≠ b or one of them is NaN, else 0, broadcast.
func NotEqual(a, b *Tensor) *Tensor { return binary("NotEqual", BinaryNotEqual, a, b) }

// compared is binary with a and b exchanged.
func compared(name string, op BinaryOp, a, b *Tensor) *Tensor {
	c := begin(name, "a, b", a, b)
	shape, ok := Broadcast(a.shape, b.shape)
	c.must(ok, "not broadcastable", a.shape, b.shape)
	dst := newTensor(c.dev, c.op, op.gives(a.dtype), shape...)
	c.binary(dst, op, b, a)
	return dst
}

// Clip returns x, or the nearer of lo and hi where x lies outside. NaN stays.
func Clip(x *Tensor, lo, hi float32) *Tensor {
	c := begin("Clip", "x", x)
	defer c.end()
	c.must(lo <= hi, fmt.Sprintf("from %g to %g", lo, hi), x.shape)
	x = c.f32(x)
	low, high := Full(x.st.dev, lo), Full(x.st.dev, hi)
	defer low.Release()
	defer high.Release()
	y := c.out(x.shape...)
	c.run(func(o Ops) { o.Binary(BinaryMax, y, x, low.Expand(x.shape...)) })
	c.run(func(o Ops) { o.Binary(BinaryMin, y, y, high.Expand(x.shape...)) })
	return y
}

// Where returns a where cond is not 0, else b. All are Float32, broadcast as in NumPy.
func Where(cond, a, b *Tensor) *Tensor {
	c := begin("Where", "cond, a, b", cond, a, b)
	shape, ok := Broadcast(a.shape, b.shape)
	if ok {
		shape, ok = Broadcast(cond.shape, shape)
	}
	c.must(ok, "not broadcastable", cond.shape, a.shape, b.shape)
	for _, t := range []*Tensor{cond, a, b} {
		mustf(t.dtype == Float32, c.op, []Shape{t.shape}, "dtype is %v, want float32", t.dtype)
	}
	dst := c.out(shape...)
	c.run(func(o Ops) { o.Where(dst, cond.Expand(shape...), a.Expand(shape...), b.Expand(shape...)) })
	return dst
}

// Affine returns scale·x + shift.
func Affine(x *Tensor, scale, shift float32) *Tensor {
	c := begin("Affine", "x", x)
	defer c.end()
	x = c.f32(x)
	y := c.out(x.shape...)
	c.run(func(o Ops) { o.Affine(y, x, scale, shift) })
	return y
}

// AddScaled adds a·x to dst, which is contiguous and has the shape of x. x may be dst.
func AddScaled(dst, x *Tensor, a float32) {
	c := begin("AddScaled", "dst, x", dst, x)
	defer c.end()
	c.must(dst.shape.Equal(x.shape), "shapes differ", dst.shape, x.shape)
	dst.inPlace(c.op, Float32)
	x = c.f32(x)
	c.apartOrSame(dst, x)
	c.run(func(o Ops) { o.AddScaled(dst, x, a) })
}

// Lerp moves dst towards x, as an exponential moving average (EMA) does: dst = d·dst + (1−d)·x. d and 1−d are each rounded to float32.
// dst is contiguous and has the shape of x. x may be dst; other shared elements panic.
//
// The result has the bytes of Affine(dst, d, 0) followed by AddScaled(dst, x, 1−d).
func Lerp(dst, x *Tensor, d float64) {
	c := begin("Lerp", "dst, x", dst, x)
	defer c.end()
	c.must(dst.shape.Equal(x.shape), "shapes differ", dst.shape, x.shape)
	dst.inPlace(c.op, Float32)
	x = c.f32(x)
	c.apartOrSame(dst, x)
	if x.st == dst.st && x.offset == dst.offset {
		x = c.copied(x) // backends may scale dst before they read x
	}
	c.run(func(o Ops) { o.Lerp(dst, x, float32(d), float32(1-d)) })
}
