package tensor

import "math"

// Unary applies op to each element.
func (c *cpuBackend) Unary(op UnaryOp, dst, x *Tensor) {
	v := c.vec
	f := [...]func(dst, x []float32){
		UnaryExp: v.Exp, UnaryLog: v.Log, UnarySqrt: v.Sqrt, UnaryTanh: v.Tanh, UnarySigmoid: v.Sigmoid,
		UnaryGELU: v.GELU, UnaryQuickGELU: v.QuickGELU, UnaryReLU: v.ReLU, UnaryAbs: abs,
	}[op]
	d := f32(dst)
	split(len(d), 4, func(lo, hi int) {
		if x.dtype == BFloat16 {
			v.FromBFloat16(d[lo:hi], u16(x)[lo:hi])
			f(d[lo:hi], d[lo:hi])
		} else {
			f(d[lo:hi], f32(x)[lo:hi])
		}
	})
}

// UnaryGrad applies the rule of op to each element.
func (c *cpuBackend) UnaryGrad(op UnaryOp, dx, dy, x, y *Tensor) {
	v := c.vec
	f := [...]func(dx, dy, s []float32){
		UnaryExp: v.Mul, UnaryLog: v.Div, UnarySqrt: sqrtGrad, UnaryTanh: v.TanhGrad, UnarySigmoid: sigmoidGrad,
		UnaryGELU: v.GELUGrad, UnaryQuickGELU: v.QuickGELUGrad, UnaryReLU: v.ReLUGrad, UnaryAbs: absGrad,
	}[op]
	saved := x
	if _, needsY := op.Needs(); needsY {
		saved = y
	}
	d, g, s := f32(dx), f32(dy), f32(saved)
	split(len(d), 4, func(lo, hi int) { f(d[lo:hi], g[lo:hi], s[lo:hi]) })
}

func abs(dst, x []float32) {
	for i, v := range x {
		dst[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
	}
}

// absGrad: dx = dy·sign(x), 0 where x is 0.
func absGrad(dx, dy, x []float32) {
	for i, v := range x {
		switch {
		case v > 0:
			dx[i] = dy[i]
		case v < 0:
			dx[i] = -dy[i]
		default:
			dx[i] = v // 0, or NaN
		}
	}
}

// sqrtGrad: dx = dy/(2y).
func sqrtGrad(dx, dy, y []float32) {
	for i, v := range y {
		dx[i] = dy[i] * 0.5 / v
	}
}

// sigmoidGrad: dx = dy·y·(1−y).
func sigmoidGrad(dx, dy, y []float32) {
	for i, v := range y {
		dx[i] = dy[i] * (v * (1 - v))
	}
}

// Affine: dst = x·scale + shift.
func (c *cpuBackend) Affine(dst, x *Tensor, scale, shift float32) {
	d, s := f32(dst), f32(x)
	split(len(d), 1, func(lo, hi int) { c.vec.Affine(d[lo:hi], s[lo:hi], scale, shift) })
}

// AddScaled: dst += a·x.
func (c *cpuBackend) AddScaled(dst, x *Tensor, a float32) {
	d, s := f32(dst), f32(x)
	split(len(d), 1, func(lo, hi int) { c.vec.AddScaled(d[lo:hi], s[lo:hi], a) })
}

// Lerp: dst = step·x + keep·dst, in two passes over a piece that stays in cache.
func (c *cpuBackend) Lerp(dst, x *Tensor, keep, step float32) {
	d, s := f32(dst), f32(x)
	split(len(d), 1, func(lo, hi int) {
		c.vec.Affine(d[lo:hi], d[lo:hi], keep, 0)
		c.vec.AddScaled(d[lo:hi], s[lo:hi], step)
	})
}

// Binary applies op to each pair of elements.
func (c *cpuBackend) Binary(op BinaryOp, dst, a, b *Tensor) {
	if dst.Size() == 0 {
		return
	}
	if a.dtype == Int32 {
		binaryInts(op, dst, a, b)
		return
	}
	v := c.vec
	f := [...]func(dst, a, b []float32){
		BinaryAdd: v.Add, BinarySub: v.Sub, BinaryMul: v.Mul, BinaryDiv: v.Div, BinaryMax: v.Max, BinaryMin: v.Min, BinaryPow: pow,
		BinaryGreater: greater, BinaryGreaterEqual: greaterEqual, BinaryEqual: equal, BinaryNotEqual: notEqual,
	}[op]
	l := newLoop(dst, a, b)
	d, x, y := f32s(dst), f32s(a), f32s(b)
	last := len(l.shape) - 1
	n := l.shape[last]
	sx, sy := l.strides[1][last], l.strides[2][last]
	if last == 0 && sx == 1 && sy == 1 {
		split(n, 1, func(lo, hi int) { f(d[lo:hi], x[lo:hi], y[lo:hi]) })
		return
	}
	l = l.shared()
	last = len(l.shape) - 1
	split(Shape(l.shape[:last]).Size(), l.shape[last], func(lo, hi int) {
		buf, gathered := scratch(dst, 2*piece)
		defer buf.Release()
		l.walk(last, lo, hi, func(at []int) {
			for i := 0; i < l.shape[last]; i += piece {
				at0 := at[0] + i
				m := min(piece, l.shape[last]-i, dst.Size()-at0)
				f(d[at0:at0+m], dense(gathered[:m], x[at[1]+i*sx:], sx), dense(gathered[piece:piece+m], y[at[2]+i*sy:], sy))
			}
		})
	})
}

// binaryInts is Binary for Int32.
func binaryInts(op BinaryOp, dst, a, b *Tensor) {
	f := [...]func(x, y int32) int32{
		BinaryAdd: func(x, y int32) int32 { return x + y }, BinarySub: func(x, y int32) int32 { return x - y },
		BinaryMul: func(x, y int32) int32 { return x * y }, BinaryMax: func(x, y int32) int32 { return max(x, y) },
		BinaryMin:     func(x, y int32) int32 { return min(x, y) },
		BinaryGreater: func(x, y int32) int32 { return oneBits(x > y) }, BinaryGreaterEqual: func(x, y int32) int32 { return oneBits(x >= y) },
		BinaryEqual: func(x, y int32) int32 { return oneBits(x == y) }, BinaryNotEqual: func(x, y int32) int32 { return oneBits(x != y) },
	}[op]
	l := newLoop(dst, a, b).shared()
	last := len(l.shape) - 1
	d, x, y := i32s(dst), i32s(a), i32s(b)
	sx, sy := l.strides[1][last], l.strides[2][last]
	split(Shape(l.shape[:last]).Size(), l.shape[last], func(lo, hi int) {
		l.walk(last, lo, hi, func(at []int) {
			for i := range min(l.shape[last], dst.Size()-at[0]) {
				d[at[0]+i] = f(x[at[1]+i*sx], y[at[2]+i*sy])
			}
		})
	})
}

// oneBits is oneIf as the bits of a Float32.
func oneBits(holds bool) int32 { return int32(math.Float32bits(oneIf(holds))) }

func pow(dst, a, b []float32) {
	for i, x := range a {
		dst[i] = float32(math.Pow(float64(x), float64(b[i])))
	}
}

func greater(dst, a, b []float32) {
	for i, x := range a {
		dst[i] = oneIf(x > b[i])
	}
}

func greaterEqual(dst, a, b []float32) {
	for i, x := range a {
		dst[i] = oneIf(x >= b[i])
	}
}

func equal(dst, a, b []float32) {
	for i, x := range a {
		dst[i] = oneIf(x == b[i])
	}
}

func notEqual(dst, a, b []float32) {
	for i, x := range a {
		dst[i] = oneIf(x != b[i])
	}
}

func oneIf(holds bool) float32 {
	if holds {
		return 1
	}
	return 0
}

// Where takes each element of a or of b.
func (c *cpuBackend) Where(dst, cond, a, b *Tensor) {
	if dst.Size() == 0 {
		return
	}
	l := newLoop(dst, cond, a, b).shared()
	last := len(l.shape) - 1
	d, q, x, y := f32s(dst), f32s(cond), f32s(a), f32s(b)
	sq, sx, sy := l.strides[1][last], l.strides[2][last], l.strides[3][last]
	split(Shape(l.shape[:last]).Size(), l.shape[last], func(lo, hi int) {
		l.walk(last, lo, hi, func(at []int) {
			for i := range min(l.shape[last], dst.Size()-at[0]) {
				if q[at[1]+i*sq] != 0 {
					d[at[0]+i] = x[at[2]+i*sx]
				} else {
					d[at[0]+i] = y[at[3]+i*sy]
				}
			}
		})
	})
}

// piece is how many elements Binary gathers at a time.
const piece = 512

// shared cuts an only axis into pieces, so that tasks can share it. The last piece may be longer than what is left.
func (l loop) shared() loop {
	if len(l.shape) > 1 {
		return l
	}
	cut := loop{shape: []int{ceilDiv(l.shape[0], piece), piece}}
	for _, s := range l.strides {
		cut.strides = append(cut.strides, []int{piece * s[0], s[0]})
	}
	return cut
}

// dense returns len(buf) elements of x that stand stride apart: x itself when they are dense, else gathered in buf.
func dense(buf, x []float32, stride int) []float32 {
	switch stride {
	case 1:
		return x[:len(buf)]
	case 0:
		fill(buf, x[0])
	default:
		for i := range buf {
			buf[i] = x[i*stride]
		}
	}
	return buf
}
