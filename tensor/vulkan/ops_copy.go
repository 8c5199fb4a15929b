//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Fill sets every element.
func (b *backend) Fill(dst *tensor.Tensor, v float32) {
	b.chunks(dst.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.Fill, nil, elements(n), []uint32{u(n), f(v)}, write(dst).part(lo, n))
	})
}

// Copy copies between any strides. Contiguous tensors of any size go without a shader.
func (b *backend) Copy(dst, src *tensor.Tensor) {
	if dst.Size() == 0 {
		return
	}
	size := int64(dst.DType().Size())
	if n := int64(dst.Size()) * size; dst.IsContiguous() && src.IsContiguous() && n%4 == 0 && int64(dst.Offset())*size%4 == 0 && int64(src.Offset())*size%4 == 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.copyBytes("Copy", dst.Buffer().(*buffer), int64(dst.Offset())*size, src.Buffer().(*buffer), int64(src.Offset())*size, n)
		return
	}
	shader := shaders.Copy
	if dst.DType() == tensor.BFloat16 {
		shader = shaders.Copy16
	}
	if !b.inSight(func(half []*tensor.Tensor) { b.Copy(half[0], half[1]) }, dst, src) {
		return
	}
	v := newViews(dst, src)
	v.each(func(first []int) {
		n := v.size()
		b.dispatch(shader, nil, elements(n), append([]uint32{u(n)}, v.words(0, 1)...), write(dst).from(first[0]), read(src).from(first[1]))
	})
}

// Cast converts between Float32 and BFloat16 or Int32.
func (b *backend) Cast(dst, src *tensor.Tensor) {
	if dst.DType() == src.DType() {
		b.Copy(dst, src)
		return
	}
	if dst.DType() == tensor.Int32 || src.DType() == tensor.Int32 {
		b.chunks(dst.Size(), 1, func(lo, n int) {
			b.dispatch(shaders.CastInts, []uint32{word(dst.DType() == tensor.Int32)}, elements(n), []uint32{u(n)}, write(dst).part(lo, n), read(src).part(lo, n))
		})
		return
	}
	shader, each := shaders.FromBFloat16, 1
	if dst.DType() == tensor.BFloat16 {
		shader, each = shaders.ToBFloat16, 2
	}
	b.chunks(dst.Size(), 2, func(lo, n int) {
		b.dispatch(shader, nil, elements(div(n, each)), []uint32{u(n)}, write(dst).part(lo, n), read(src).part(lo, n))
	})
}

// Flip reverses the order along the middle axis of [outer, n, inner].
func (b *backend) Flip(dst, x *tensor.Tensor, outer, n, inner int) {
	width := n * inner
	b.rows(outer, width, func(lo, m int) {
		b.dispatch(shaders.Flip, nil, elements(m*width), []uint32{u(m * width), u(n), u(inner)}, write(dst).rows(lo, m, width), read(x).rows(lo, m, width))
	})
}

// zero writes a gradient of nothing.
func (b *backend) zero(g tensor.Grad) {
	if g.To != nil && !g.Add {
		b.Fill(g.To, 0)
	}
}

// destination is how a shader writes a gradient, and where: 0 not at all, 1 in place of what is there, 2 on top of it. What is not there is bound to none.
func (b *backend) destination(g tensor.Grad, none arg) (mode uint32, to arg) {
	switch {
	case g.To == nil || g.To.Size() == 0:
		return 0, none
	case g.Add:
		return 2, update(g.To)
	}
	return 1, update(g.To)
}
