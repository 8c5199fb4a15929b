package tensor

import (
	"slices"
	"strings"
)

// call is one call of a function of this package. It checks the tensors, makes contiguous copies of views where the backend needs them,
// and releases the copies at the end.
type call struct {
	op    string
	dev   *Device
	temps []*Tensor
}

// begin begins a call of op with the tensors that it needs. names are their names, for the panic where one is nil. The last name stands for
// all that follow.
func begin(op, names string, ts ...*Tensor) *call {
	c := &call{op: op}
	if i := slices.Index(ts, nil); i >= 0 {
		list := strings.Split(names, ", ")
		c.need(list[min(i, len(list)-1)], nil)
	}
	return c.with(ts...)
}

// need panics when a tensor is nil.
func (c *call) need(name string, t *Tensor) {
	if t == nil {
		panic(&Error{Op: c.op, Reason: name + " is nil"})
	}
}

// with checks that tensors, of which some may be nil, are not released and are on one device.
func (c *call) with(ts ...*Tensor) *call {
	for _, t := range ts {
		if t == nil {
			continue
		}
		t.live(c.op)
		if c.dev == nil {
			c.dev = t.st.dev
		} else if c.dev != t.st.dev {
			panic(&Error{Op: c.op, Reason: "tensors on two devices, " + c.dev.Name() + " and " + t.st.dev.Name()})
		}
	}
	return c
}

func (c *call) end() {
	for _, t := range c.temps {
		t.Release()
	}
}

// run runs one operation. f calls methods of o and nothing else. What needs an operation of its own, such as the copy of a view, comes
// before.
func (c *call) run(f func(o Ops)) { c.dev.run(c.op, Highest, f) }

// runAt is run for an operation with matmuls of so many floating-point operations.
func (c *call) runAt(p Precision, flops float64, f func(o Ops)) {
	c.dev.AddWork(flops)
	c.dev.run(c.op, p, f)
}

// matmul is how many floating-point operations a matmul of [M, K] and [K, N] takes.
func matmul(m, k, n int) float64 { return 2 * float64(m) * float64(k) * float64(n) }

// mustRead panics when a download failed.
func (c *call) mustRead(err error) {
	if err != nil {
		panic(&Error{Op: c.op, Reason: err.Error(), Err: err})
	}
}

// must panics with a ShapeError unless ok.
func (c *call) must(ok bool, reason string, shapes ...Shape) {
	if !ok {
		panic(&ShapeError{Op: c.op, Shapes: shapes, Reason: reason})
	}
}

// in returns t, or a contiguous copy, after a check of its dtype. nil stays nil.
func (c *call) in(t *Tensor, dtype DType) *Tensor {
	if t == nil {
		return nil
	}
	mustf(t.dtype == dtype, c.op, []Shape{t.shape}, "dtype is %v, want %v", t.dtype, dtype)
	if t.IsContiguous() {
		return t
	}
	return c.copied(t)
}

// copied is a contiguous copy that lives until the end of the call.
func (c *call) copied(t *Tensor) *Tensor {
	y := newTensor(c.dev, c.op, t.dtype, t.shape...)
	c.run(func(o Ops) { o.Copy(y, t) })
	c.temps = append(c.temps, y)
	return y
}

// apart panics when dst, which is contiguous, shares elements with one of srcs; nil ones are ignored. Operations read inputs while they
// write the result, so a shared element would give a wrong result.
func (c *call) apart(dst *Tensor, srcs ...*Tensor) {
	if dst == nil || dst.Size() == 0 {
		return
	}
	for _, t := range srcs {
		if t != nil && t.st == dst.st && t.Size() > 0 && reaches(t.shape, t.strides, t.offset, dst.offset, dst.offset+dst.Size()) {
			c.must(false, "the result shares memory with an input", dst.shape, t.shape)
		}
	}
}

// apartOrSame is apart for elementwise operations, which may overwrite a whole input.
func (c *call) apartOrSame(dst *Tensor, srcs ...*Tensor) {
	for _, t := range srcs {
		if t != nil && !(t.st == dst.st && t.offset == dst.offset && t.Size() == dst.Size() && t.IsContiguous()) {
			c.apart(dst, t)
		}
	}
}

// reaches reports whether a view that starts at offset has an element in [lo, hi). No axis is empty.
func reaches(shape Shape, strides []int, offset, lo, hi int) bool {
	last := offset // the place of the view's last element
	for i, n := range shape {
		last += (n - 1) * strides[i]
	}
	if last < lo || offset >= hi {
		return false
	}
	if offset >= lo || last < hi {
		return true
	}
	for i, n := range shape { // the view spans the range, so only its gaps can save it
		if n == 1 || strides[i] == 0 {
			continue
		}
		for at := range n {
			if reaches(shape[i+1:], strides[i+1:], offset+at*strides[i], lo, hi) {
				return true
			}
		}
		return false
	}
	return false
}

// f32 is in for Float32.
func (c *call) f32(t *Tensor) *Tensor { return c.in(t, Float32) }

// kept is f32 for a tensor that may also be BFloat16, as gradients find what was kept for them.
func (c *call) kept(t *Tensor) *Tensor {
	if t != nil && t.dtype == BFloat16 {
		return c.in(t, BFloat16)
	}
	return c.f32(t)
}

// vector is f32 with a check of the size; nil stays nil.
func (c *call) vector(t *Tensor, what string, n int) *Tensor {
	if t == nil {
		return nil
	}
	mustf(t.Size() == n, c.op, []Shape{t.shape, {n}}, "%s has %d elements, want %d", what, t.Size(), n)
	return c.f32(t)
}

// rows is f32 seen as [M, last axis]; nil stays nil.
func (c *call) rows(t *Tensor) *Tensor {
	if t == nil {
		return nil
	}
	c.must(len(t.shape) > 0, "want at least one axis", t.shape)
	last := len(t.shape) - 1
	return c.f32(t).Reshape(t.shape[:last].Size(), t.shape[last])
}

// out is a new Float32 tensor named after the call.
func (c *call) out(shape ...int) *Tensor { return newTensor(c.dev, c.op, Float32, shape...) }

// dst checks a destination: contiguous Float32 of the given size; nil stays nil.
func (c *call) dst(t *Tensor, what string, size int) *Tensor {
	if t == nil {
		return nil
	}
	t.inPlace(c.op, Float32)
	mustf(t.Size() == size, c.op, []Shape{t.shape, {size}}, "%s has %d elements, want %d", what, t.Size(), size)
	return t
}

// grad is dst for a Grad.
func (c *call) grad(g Grad, what string, size int) Grad {
	c.dst(g.To, what, size)
	return g
}

// gradRows is grad with the destination seen as [M, d].
func (c *call) gradRows(g Grad, what string, size, d int) Grad {
	c.grad(g, what, size)
	if g.To != nil && d > 0 {
		g.To = g.To.Reshape(-1, d)
	}
	return g
}
