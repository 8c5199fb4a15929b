package tensor

import "slices"

// Fill sets all elements of a contiguous Float32 tensor to v.
func (t *Tensor) Fill(v float32) { t.fill("Fill", v) }

// Zero sets all elements of a contiguous Float32 tensor to 0.
func (t *Tensor) Zero() { t.fill("Zero", 0) }

// fill is Fill for a call of op.
func (t *Tensor) fill(op string, v float32) {
	t.inPlace(op, Float32)
	t.st.dev.run(op, Highest, func(o Ops) { o.Fill(t, v) })
}

// Cast returns x converted to another dtype, of any shape. Float32 becomes BFloat16 by rounding to nearest even. It becomes Int32 by rounding
// towards 0: what is beyond Int32 becomes the nearest Int32, and NaN 0. Int32 and BFloat16 do not become each other, which panics.
func Cast(x *Tensor, dtype DType) *Tensor { return cast("Cast", x, dtype) }

// cast is Cast for a call of op.
func cast(op string, x *Tensor, dtype DType) *Tensor {
	c := begin(op, "x", x)
	defer c.end()
	mustf(x.dtype == dtype || x.dtype == Float32 || dtype == Float32, c.op, []Shape{x.shape}, "%v to %v", x.dtype, dtype)
	y := newTensor(c.dev, c.op, dtype, x.shape...)
	if x.dtype == dtype {
		c.run(func(o Ops) { o.Copy(y, x) })
	} else {
		x = c.in(x, x.dtype)
		c.run(func(o Ops) { o.Cast(y, x) })
	}
	return y
}

// CopyInto copies src to dst, of the same shape and dtype. Both may be non-contiguous views, and must not share elements.
func CopyInto(dst, src *Tensor) {
	c := begin("CopyInto", "dst, src", dst, src)
	c.must(dst.shape.Equal(src.shape), "shapes differ", dst.shape, src.shape)
	mustf(dst.dtype == src.dtype, c.op, []Shape{dst.shape, src.shape}, "dtypes %v and %v differ", dst.dtype, src.dtype)
	for i, n := range dst.shape {
		c.must(n < 2 || dst.strides[i] != 0 || dst.Size() == 0, "the destination is a view that repeats elements", dst.shape, src.shape)
	}
	if dst.IsContiguous() {
		c.apart(dst, src)
	}
	c.run(func(o Ops) { o.Copy(dst, src) })
}

// Clone returns a contiguous copy of t.
func (t *Tensor) Clone() *Tensor { return t.clone("Clone") }

// clone is Clone for a call of op.
func (t *Tensor) clone(op string) *Tensor {
	c := begin(op, "the tensor", t)
	y := newTensor(c.dev, c.op, t.dtype, t.shape...)
	c.run(func(o Ops) { o.Copy(y, t) })
	return y
}

// Contiguous returns t itself with one more owner when it is contiguous, else a contiguous copy. Release the result in both cases.
func (t *Tensor) Contiguous() *Tensor {
	t.live("Contiguous")
	if t.IsContiguous() {
		t.Retain()
		return t
	}
	return t.clone("Contiguous")
}

// To returns a contiguous copy of t on a device, which may be t's own. From another device it waits for that of t, and panics like Float32s.
func (t *Tensor) To(dev *Device) *Tensor {
	c := begin("To", "the tensor", t)
	defer c.end()
	if dev == c.dev {
		return t.clone(c.op)
	}
	if t.dtype == BFloat16 { // crosses as float32, which holds each of its values
		wide := cast(c.op, t, Float32)
		defer wide.Release()
		there := wide.To(dev)
		defer there.Release()
		return cast(c.op, there, BFloat16)
	}
	y := newTensor(dev, c.op, t.dtype, t.shape...)
	if t.dtype == Int32 {
		data := make([]int32, t.Size())
		c.mustRead(c.dev.backend.DownloadInts(data, c.in(t, Int32)))
		y.uploadInts(c.op, data)
		return y
	}
	data := make([]float32, t.Size())
	c.mustRead(c.dev.backend.Download(data, c.f32(t)))
	y.upload(c.op, data)
	return y
}

// Concat joins tensors along an axis. All other sizes must be equal.
func Concat(axis int, ts ...*Tensor) *Tensor {
	c := begin("Concat", "an input", ts...)
	c.must(len(ts) > 0, "nothing to join")
	axis = ts[0].axis(c.op, axis)
	shape := slices.Clone(ts[0].shape)
	shape[axis] = 0
	for _, t := range ts {
		c.must(len(t.shape) == len(shape) && t.dtype == ts[0].dtype, "ranks or dtypes differ", ts[0].shape, t.shape)
		for i, d := range t.shape {
			c.must(i == axis || d == shape[i], "sizes differ off the joined axis", ts[0].shape, t.shape)
		}
		shape[axis] += t.shape[axis]
	}
	y := newTensor(c.dev, c.op, ts[0].dtype, shape...)
	at := 0
	for _, t := range ts {
		part := y.Slice(axis, at, at+t.shape[axis])
		c.run(func(o Ops) { o.Copy(part, t) })
		at += t.shape[axis]
	}
	return y
}

// Stack joins tensors of one shape and dtype along a new axis, which may be the last.
func Stack(axis int, ts ...*Tensor) *Tensor {
	c := begin("Stack", "an input", ts...)
	c.must(len(ts) > 0, "nothing to join")
	first := ts[0]
	if axis < 0 {
		axis += len(first.shape) + 1
	}
	mustf(axis >= 0 && axis <= len(first.shape), c.op, []Shape{first.shape}, "no new axis %d", axis)
	for _, t := range ts {
		c.must(t.shape.Equal(first.shape) && t.dtype == first.dtype, "shapes or dtypes differ", first.shape, t.shape)
	}
	y := newTensor(c.dev, c.op, first.dtype, slices.Insert(slices.Clone(first.shape), axis, len(ts))...)
	for i, t := range ts {
		part := y.Slice(axis, i, i+1)
		part = part.view(c.op, slices.Delete(slices.Clone(part.shape), axis, axis+1), slices.Delete(slices.Clone(part.strides), axis, axis+1), part.offset)
		c.run(func(o Ops) { o.Copy(part, t) })
	}
	return y
}

// Pad returns x, Float32, with elements of a value around it. pads are how many come before and after, for each axis, as in numpy.pad. Negative ones
// panic.
func Pad(x *Tensor, value float32, pads ...[2]int) *Tensor {
	c := begin("Pad", "x", x)
	mustf(x.dtype == Float32, c.op, []Shape{x.shape}, "dtype is %v, want float32", x.dtype)
	mustf(len(pads) == len(x.shape), c.op, []Shape{x.shape}, "%d pairs of pads, want one for each axis", len(pads))
	shape := slices.Clone(x.shape)
	for i, p := range pads {
		mustf(p[0] >= 0 && p[1] >= 0, c.op, []Shape{x.shape}, "pads %v on axis %d", p, i)
		shape[i] += p[0] + p[1]
	}
	y := full(c.op, c.dev, value, shape)
	inside := y
	for i, p := range pads {
		inside = inside.Slice(i, p[0], p[0]+x.shape[i])
	}
	c.run(func(o Ops) { o.Copy(inside, x) })
	return y
}

// Flip returns x, Float32 or Int32, with its elements in reverse order along axes.
func Flip(x *Tensor, axes ...int) *Tensor {
	c := begin("Flip", "x", x)
	defer c.end()
	mustf(x.dtype != BFloat16, c.op, []Shape{x.shape}, "dtype is %v, want float32 or int32", x.dtype)
	if len(axes) == 0 {
		return x.clone(c.op)
	}
	x = c.in(x, x.dtype)
	for i, axis := range axes {
		axis = x.axis(c.op, axis)
		y := newTensor(c.dev, c.op, x.dtype, x.shape...)
		outer, n, inner := x.shape[:axis].Size(), x.shape[axis], x.shape[axis+1:].Size()
		c.run(func(o Ops) { o.Flip(y, x, outer, n, inner) })
		if i < len(axes)-1 {
			c.temps = append(c.temps, y)
		}
		x = y
	}
	return x
}
