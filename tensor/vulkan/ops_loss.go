//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// targets are the labels and soft targets of rows lo to lo+n of a, as shaders bind them: what is not there is bound to some element that is.
func targets(a tensor.CrossEntropyArgs, lo, n int) (labels, soft arg) {
	if a.Soft != nil {
		return read(a.Logits).part(0, 1), read(a.Soft).rows(lo, n, a.Logits.Shape()[1])
	}
	return read(a.Labels).part(lo, n), read(a.Logits).part(0, 1)
}

// CrossEntropy writes each row's loss, then their mean.
func (b *backend) CrossEntropy(a tensor.CrossEntropyArgs) {
	r, k := a.Logits.Shape()[0], a.Logits.Shape()[1]
	if r == 0 || k == 0 {
		b.Fill(a.Loss, 0)
		return
	}
	rows := b.temp(2 * r)
	b.rows(r, k, func(lo, n int) {
		labels, soft := targets(a, lo, n)
		b.dispatch(shaders.CrossEntropy, []uint32{word(a.Soft != nil)}, flat(n), []uint32{u(n), u(k), u(lo), u(r), f(a.Smoothing)},
			write(a.LSE).part(lo, n), rows, read(a.Logits).rows(lo, n, k), labels, soft, b.fault())
	})
	if a.OverAll {
		b.reduceRows(false, write(a.Loss), rows.part(0, r).read(), 1, r, float32(r))
		return
	}
	b.dispatch(shaders.MeanLoss, []uint32{0}, flat(1), []uint32{u(r)}, write(a.Loss), rows.read())
}

// CrossEntropyGrad counts the rows that count, then writes each row.
func (b *backend) CrossEntropyGrad(dlogits, dloss *tensor.Tensor, a tensor.CrossEntropyArgs) {
	r, k := a.Logits.Shape()[0], a.Logits.Shape()[1]
	if r == 0 || k == 0 {
		return
	}
	count := read(dloss)
	switch {
	case a.Soft != nil:
	case a.OverAll:
		count = b.temp(1)
		b.dispatch(shaders.Fill, nil, elements(1), []uint32{1, f(float32(r))}, count)
	default:
		rows := b.temp(2 * r)
		b.dispatch(shaders.CountLabels, nil, elements(r), []uint32{u(r), u(k)}, rows, read(a.Labels))
		count = b.temp(1)
		b.dispatch(shaders.MeanLoss, []uint32{1}, flat(1), []uint32{u(r)}, count, rows.read())
	}
	b.rows(r, k, func(lo, n int) {
		labels, soft := targets(a, lo, n)
		b.dispatch(shaders.CrossEntropyGrad, []uint32{word(a.Soft != nil)}, flat(n), []uint32{u(n), u(k), f(a.Smoothing), f(float32(r))},
			write(dlogits).rows(lo, n, k), read(dloss), count.read(), read(a.Logits).rows(lo, n, k), read(a.LSE).part(lo, n), labels, soft)
	})
}

// CosineLoss writes each row's loss, then their mean.
func (b *backend) CosineLoss(loss, x, t *tensor.Tensor) {
	m, d := x.Shape()[0], x.Shape()[1]
	if m == 0 {
		b.Fill(loss, 0)
		return
	}
	if d == 0 { // each row's cosine is 0
		b.Fill(loss, 1)
		return
	}
	rows := b.temp(2 * m)
	b.rows(m, d, func(lo, n int) {
		b.dispatch(shaders.CosineLoss, nil, flat(n), []uint32{u(n), u(d), u(lo), u(m)}, rows, read(x).rows(lo, n, d), read(t).rows(lo, n, d))
	})
	b.dispatch(shaders.MeanLoss, []uint32{0}, flat(1), []uint32{u(m)}, write(loss), rows.read())
}

// CosineLossGrad takes each row's gradient.
func (b *backend) CosineLossGrad(dx, dloss, x, t *tensor.Tensor) {
	m, d := x.Shape()[0], x.Shape()[1]
	b.rows(m, d, func(lo, n int) {
		b.dispatch(shaders.CosineLossGrad, nil, flat(n), []uint32{u(n), u(d), f(float32(m))},
			write(dx).rows(lo, n, d), read(dloss), read(x).rows(lo, n, d), read(t).rows(lo, n, d))
	})
}

// ElementLoss applies op to each element.
func (b *backend) ElementLoss(op tensor.LossOp, dst, x, t *tensor.Tensor, delta float32) {
	b.chunks(dst.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.ElementLoss, []uint32{uint32(op)}, elements(n), []uint32{u(n), f(delta)},
			write(dst).part(lo, n), read(x).part(lo, n), read(t).part(lo, n))
	})
}

// ElementLossGrad applies the derivative of op to each element.
func (b *backend) ElementLossGrad(op tensor.LossOp, dx, dy, x, t *tensor.Tensor, delta float32) {
	one := dy.Size() == 1
	b.chunks(dx.Size(), 1, func(lo, n int) {
		up := read(dy)
		if !one {
			up = up.part(lo, n)
		}
		b.dispatch(shaders.ElementLossGrad, []uint32{uint32(op), word(one)}, elements(n), []uint32{u(n), f(delta)},
			write(dx).part(lo, n), up, read(x).part(lo, n), read(t).part(lo, n))
	})
}
