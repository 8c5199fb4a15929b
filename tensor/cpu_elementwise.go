package tensor

import "math"

// fill sets every element of x to v.
func fill(x []float32, v float32) {
	if math.Float32bits(v) == 0 {
		clear(x)
		return
	}
	head := min(len(x), 256)
	for i := range x[:head] {
		x[i] = v
	}
	for n := head; n > 0 && n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}

// Fill sets every element to v.
func (c *cpuBackend) Fill(dst *Tensor, v float32) {
	d := f32(dst)
	split(len(d), 1, func(lo, hi int) { fill(d[lo:hi], v) })
}

// Cast converts between Float32 and BFloat16.
func (c *cpuBackend) Cast(dst, src *Tensor) {
	split(dst.Size(), 1, func(lo, hi int) {
		switch {
		case dst.dtype == src.dtype && dst.dtype == BFloat16:
			copy(u16(dst)[lo:hi], u16(src)[lo:hi])
		case dst.dtype == src.dtype:
			copy(f32(dst)[lo:hi], f32(src)[lo:hi])
		case dst.dtype == BFloat16:
			c.vec.ToBFloat16(u16(dst)[lo:hi], f32(src)[lo:hi])
		default:
			c.vec.FromBFloat16(f32(dst)[lo:hi], u16(src)[lo:hi])
		}
	})
}

// Unary applies op to each element.
func (c *cpuBackend) Unary(op UnaryOp, dst, x *Tensor) {
	v := c.vec
	f := [...]func(dst, x []float32){
		UnaryExp: v.Exp, UnaryLog: v.Log, UnarySqrt: v.Sqrt, UnaryTanh: v.Tanh, UnarySigmoid: v.Sigmoid,
		UnaryGELU: v.GELU, UnaryQuickGELU: v.QuickGELU, UnaryReLU: v.ReLU,
	}[op]
	d, s := f32(dst), f32(x)
	split(len(d), 4, func(lo, hi int) { f(d[lo:hi], s[lo:hi]) })
}

// UnaryGrad applies the rule of op to each element.
func (c *cpuBackend) UnaryGrad(op UnaryOp, dx, dy, x, y *Tensor) {
	v := c.vec
	f := [...]func(dx, dy, s []float32){
		UnaryExp: v.Mul, UnaryLog: v.Div, UnarySqrt: sqrtGrad, UnaryTanh: v.TanhGrad, UnarySigmoid: sigmoidGrad,
		UnaryGELU: v.GELUGrad, UnaryQuickGELU: v.QuickGELUGrad, UnaryReLU: v.ReLUGrad,
	}[op]
	saved := x
	if _, needsY := op.Needs(); needsY {
		saved = y
	}
	d, g, s := f32(dx), f32(dy), f32(saved)
	split(len(d), 4, func(lo, hi int) { f(d[lo:hi], g[lo:hi], s[lo:hi]) })
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
