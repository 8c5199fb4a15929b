package tensor

import (
	"fmt"
	"runtime"
	"sync/atomic"
)

// Tensor is an n-dimensional array on a device: a view (shape, strides, offset) of a storage, which other views may share.
type Tensor struct {
	st      *storage
	dtype   DType
	shape   Shape
	strides []int // in elements; 0 on broadcast axes
	offset  int   // in elements
	op      string
}

// storage is one use of pooled memory, from the pool until the last owner releases it. The next use of the same memory has another
// storage, so tensors of an earlier use are recognised as released.
type storage struct {
	dev   *Device
	buf   Buffer
	class int
	refs  atomic.Int64 // owners; 0 or less: released
	lost  runtime.Cleanup
}

// newTensor allocates a contiguous tensor with uninitialised elements. op names it in later panics.
func newTensor(dev *Device, op string, dtype DType, shape ...int) *Tensor {
	if dev == nil || dev.backend == nil {
		panic(&Error{Op: op, Reason: "the device is nil"})
	}
	s := Shape(shape).checked(op)
	buf, class, err := dev.obtain(s.Size() * dtype.Size())
	if err != nil {
		panic(&Error{Op: op, Reason: fmt.Sprintf("%v for a tensor of shape %v", err, shape), Err: err})
	}
	st := &storage{dev: dev, buf: buf, class: class}
	st.refs.Store(1)
	st.lost = runtime.AddCleanup(st, dev.collect, unreachable{buf, class})
	return &Tensor{st: st, dtype: dtype, shape: s, strides: s.rowMajor(), op: op}
}

// New returns a Float32 tensor with uninitialised elements, like torch.empty.
func New(dev *Device, shape ...int) *Tensor { return newTensor(dev, "New", Float32, shape...) }

// NewOf returns a tensor of the given dtype with uninitialised elements.
func NewOf(dev *Device, dtype DType, shape ...int) *Tensor {
	return newTensor(dev, "NewOf", dtype, shape...)
}

// Zeros returns a Float32 tensor of zeros.
func Zeros(dev *Device, shape ...int) *Tensor { return full("Zeros", dev, 0, shape) }

// Full returns a Float32 tensor whose elements are all v.
func Full(dev *Device, v float32, shape ...int) *Tensor { return full("Full", dev, v, shape) }

// full is Full for a call of op.
func full(op string, dev *Device, v float32, shape []int) *Tensor {
	t := newTensor(dev, op, Float32, shape...)
	t.fill(op, v)
	return t
}

// FromSlice returns a Float32 tensor of the given shape with a copy of data, row-major.
func FromSlice(dev *Device, data []float32, shape ...int) *Tensor {
	t := newTensor(dev, "FromSlice", Float32, shape...)
	t.upload("FromSlice", data)
	return t
}

// FromInts returns an Int32 tensor of the given shape with a copy of data, row-major.
func FromInts(dev *Device, data []int32, shape ...int) *Tensor {
	t := newTensor(dev, "FromInts", Int32, shape...)
	t.uploadInts("FromInts", data)
	return t
}

// Device returns the device that holds t.
func (t *Tensor) Device() *Device { return t.given("Device").st.dev }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.given("DType").dtype }

// Shape returns the shape. The caller must not change it.
func (t *Tensor) Shape() Shape { return t.given("Shape").shape }

// Strides returns the strides in elements. The caller must not change them.
func (t *Tensor) Strides() []int { return t.given("Strides").strides }

// Offset returns the index of the first element in the buffer, in elements.
func (t *Tensor) Offset() int { return t.given("Offset").offset }

// Dim returns the size of an axis. Negative axes count from the last.
func (t *Tensor) Dim(axis int) int { return t.shape[t.axis("Dim", axis)] }

// Rank returns the number of axes.
func (t *Tensor) Rank() int { return len(t.given("Rank").shape) }

// Size returns the number of elements.
func (t *Tensor) Size() int { return t.given("Size").shape.Size() }

// Op returns the name of the operation that made t.
func (t *Tensor) Op() string { return t.given("Op").op }

// Buffer returns the memory of t, for backends. It panics when t was released.
func (t *Tensor) Buffer() Buffer {
	t.live("Buffer")
	return t.st.buf
}

// Live reports whether the memory of t is still valid: not yet released by its last owner.
func (t *Tensor) Live() bool { return t != nil && t.st != nil && t.st.refs.Load() > 0 }

// SameStorage reports whether t and o are views of the same memory.
func (t *Tensor) SameStorage(o *Tensor) bool {
	return t.given("SameStorage").st == o.given("SameStorage").st
}

// given returns t, and panics when it is nil or no function made it.
func (t *Tensor) given(op string) *Tensor {
	switch {
	case t == nil:
		panic(&Error{Op: op, Reason: "the tensor is nil"})
	case t.st == nil:
		panic(&Error{Op: op, Reason: "the tensor is a Tensor{}, which has no memory: use New or FromSlice"})
	}
	return t
}

// live panics when t's memory was released, and as given does.
func (t *Tensor) live(op string) {
	t.given(op)
	if !t.Live() {
		panic(&Error{Op: op, Reason: fmt.Sprintf("a tensor %v made by %s is used after its release", t.shape, t.op)})
	}
}

// Retain adds an owner to the memory of t: one more Release is needed before it returns to the pool.
func (t *Tensor) Retain() {
	t.live("Retain")
	t.st.refs.Add(1)
}

// Release gives up one ownership of the memory of t. The last Release returns the memory to the pool. After that every tensor that shares
// it, t included, is invalid, and one more Release panics.
//
// Memory that is never released is freed by the garbage collector. That prevents a leak, but memory grows until it happens.
func (t *Tensor) Release() {
	t.live("Release")
	switch owners := t.st.refs.Add(-1); {
	case owners < 0:
		t.live("Release")
	case owners == 0:
		t.st.lost.Stop()
		t.st.dev.recycle(t.st.buf, t.st.class)
	}
}

// IsContiguous reports whether t's elements are stored row-major without gaps.
func (t *Tensor) IsContiguous() bool {
	t.given("IsContiguous")
	n := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] != 1 && t.strides[i] != n {
			return t.Size() == 0
		}
		n *= t.shape[i]
	}
	return true
}

// Upload copies data into a contiguous Float32 tensor of the same size.
func (t *Tensor) Upload(data []float32) { t.upload("Upload", data) }

// upload is Upload for a call of op.
func (t *Tensor) upload(op string, data []float32) {
	t.inPlace(op, Float32)
	mustf(len(data) == t.Size(), op, []Shape{t.shape}, "%d numbers given", len(data))
	t.st.dev.backend.Upload(t, data)
}

// UploadInts copies data into a contiguous Int32 tensor of the same size.
func (t *Tensor) UploadInts(data []int32) { t.uploadInts("UploadInts", data) }

// uploadInts is UploadInts for a call of op.
func (t *Tensor) uploadInts(op string, data []int32) {
	t.inPlace(op, Int32)
	mustf(len(data) == t.Size(), op, []Shape{t.shape}, "%d numbers given", len(data))
	t.st.dev.backend.UploadInts(t, data)
}

// Float32s returns a copy of the elements, row-major. It waits for the device. BFloat16 tensors are converted.
//
// After a fault of the device it panics with an *Error that wraps the fault, because the numbers would be wrong. Device.Sync returns the
// fault as an error.
func (t *Tensor) Float32s() []float32 {
	t.live("Float32s")
	mustf(t.dtype != Int32, "Float32s", []Shape{t.shape}, "dtype is %v", t.dtype)
	if t.dtype == BFloat16 {
		wide := Cast(t, Float32)
		defer wide.Release()
		return wide.Float32s()
	}
	c := begin("Float32s", "the tensor", t)
	defer c.end()
	out := make([]float32, t.Size())
	c.mustRead(c.dev.backend.Download(out, c.f32(t)))
	return out
}

// CopyTo copies the elements of a Float32 tensor to dst, which has the same size. It waits for the device and panics like Float32s.
func (t *Tensor) CopyTo(dst []float32) {
	c := begin("CopyTo", "the tensor", t)
	defer c.end()
	mustf(len(dst) == t.Size(), "CopyTo", []Shape{t.shape}, "room for %d numbers", len(dst))
	c.mustRead(c.dev.backend.Download(dst, c.f32(t)))
}

// Ints returns a copy of the elements of an Int32 tensor, row-major. It waits for the device and panics like Float32s.
func (t *Tensor) Ints() []int32 {
	c := begin("Ints", "the tensor", t)
	defer c.end()
	out := make([]int32, t.Size())
	c.mustRead(c.dev.backend.DownloadInts(out, c.in(t, Int32)))
	return out
}

// Item returns the single element of a Float32 tensor of size 1.
func (t *Tensor) Item() float32 {
	t.live("Item")
	mustf(t.Size() == 1, "Item", []Shape{t.shape}, "size is not 1")
	mustf(t.dtype != Int32, "Item", []Shape{t.shape}, "dtype is %v", t.dtype)
	return t.Float32s()[0]
}

// inPlace checks that t can be written as a whole.
func (t *Tensor) inPlace(op string, dtype DType) {
	t.live(op)
	mustf(t.dtype == dtype, op, []Shape{t.shape}, "dtype is %v, want %v", t.dtype, dtype)
	mustf(t.IsContiguous(), op, []Shape{t.shape}, "a view with gaps cannot be written; use CopyInto")
}
