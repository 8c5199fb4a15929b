//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Unary applies op to each element.
func (b *backend) Unary(op tensor.UnaryOp, dst, x *tensor.Tensor) {
	b.chunks(dst.Size(), 2, func(lo, n int) {
		b.dispatch(shaders.Unary, []uint32{uint32(op), isBFloat16(x)}, elements(n), []uint32{u(n)}, write(dst).part(lo, n), read(x).part(lo, n))
	})
}

// isBFloat16 is 1 for a tensor of BFloat16.
func isBFloat16(t *tensor.Tensor) uint32 { return word(t.DType() == tensor.BFloat16) }

// UnaryGrad applies the rule of op to each element.
func (b *backend) UnaryGrad(op tensor.UnaryOp, dx, dy, x, y *tensor.Tensor) {
	saved := x
	if _, needsY := op.Needs(); needsY {
		saved = y
	}
	b.chunks(dx.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.UnaryGrad, []uint32{uint32(op)}, elements(n), []uint32{u(n)},
			write(dx).part(lo, n), read(dy).part(lo, n), read(saved).part(lo, n))
	})
}

// Where takes each element of x or of y.
func (b *backend) Where(dst, cond, x, y *tensor.Tensor) {
	if dst.Size() == 0 {
		return
	}
	v := newViews(dst, cond, x, y)
	v.each(func(first []int) {
		n := v.size()
		b.dispatch(shaders.Where, nil, elements(n), append([]uint32{u(n)}, v.words(1, 2, 3)...),
			write(dst).from(first[0]), read(cond).from(first[1]), read(x).from(first[2]), read(y).from(first[3]))
	})
}

// Affine: dst = x·scale + shift.
func (b *backend) Affine(dst, x *tensor.Tensor, scale, shift float32) {
	b.affine(0, dst, x, scale, shift)
}

// AddScaled: dst += a·x.
func (b *backend) AddScaled(dst, x *tensor.Tensor, a float32) { b.affine(1, dst, x, a, 0) }

// Lerp: dst = step·x + keep·dst, in two dispatches. In one, a driver might not round the products separately.
func (b *backend) Lerp(dst, x *tensor.Tensor, keep, step float32) {
	b.affine(0, dst, dst, keep, 0)
	b.affine(1, dst, x, step, 0)
}

func (b *backend) affine(add uint32, dst, x *tensor.Tensor, scale, shift float32) {
	b.chunks(dst.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.Affine, []uint32{add}, elements(n), []uint32{u(n), f(scale), f(shift)}, update(dst).part(lo, n), read(x).part(lo, n))
	})
}

// Binary applies op to each pair of elements.
func (b *backend) Binary(op tensor.BinaryOp, dst, x, y *tensor.Tensor) {
	if dst.Size() == 0 {
		return
	}
	v := newViews(dst, x, y)
	ints := x.DType() == tensor.Int32
	if !ints && x.IsContiguous() && y.IsContiguous() {
		words := v.words(1, 2)
		b.chunks(dst.Size(), 1, func(lo, n int) {
			b.dispatch(shaders.Binary, []uint32{uint32(op), 1}, elements(n), append([]uint32{u(n)}, words...),
				write(dst).part(lo, n), read(x).part(lo, n), read(y).part(lo, n))
		})
		return
	}
	if !b.inSight(func(h []*tensor.Tensor) { b.Binary(op, h[0], h[1], h[2]) }, dst, x, y) {
		return
	}
	shader, spec := shaders.Binary, []uint32{uint32(op), 0}
	if ints {
		shader, spec = shaders.BinaryInts, spec[:1]
	}
	v.each(func(first []int) {
		n := v.size()
		b.dispatch(shader, spec, elements(n), append([]uint32{u(n)}, v.words(1, 2)...),
			write(dst).from(first[0]), read(x).from(first[1]), read(y).from(first[2]))
	})
}
