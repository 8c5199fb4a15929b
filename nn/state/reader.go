package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"unsafe"
)

// mapping is a file's bytes as the system's page cache has them, or empty.
// Changes would stay in this process.
type mapping []byte

// littleEndian reports whether this machine stores numbers as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// TensorReader reads the values of tensors of a file, one tensor at a time, without
// allocating for each. It copies nothing where a tensor is stored as float32 and
// the file is mapped into memory. Other tensors are converted into a buffer that
// the next call reuses. The zero value is ready to use. A TensorReader belongs to
// one goroutine.
type TensorReader struct{ buf []float32 }

// Float32s calls use with the values that File.Float32s would return. The slice is
// valid until use returns, and use must not change it.
func (r *TensorReader) Float32s(f *File, name string, use func(values []float32) error) error {
	e, err := f.find(name)
	if err != nil {
		return err
	}
	if !e.DType.Numeric() {
		return f.tensorError(name, fmt.Errorf("%s cannot be read as float32", e.DType))
	}
	if err := r.read(f, e, use); err != nil {
		return f.tensorError(name, err)
	}
	return nil
}

// read is Float32s for an entry of numeric type.
func (r *TensorReader) read(f *File, e Entry, use func(values []float32) error) error {
	if values, ok := f.view(e); ok {
		return guarded(func() error { return use(values) })
	}
	n := e.Len()
	if cap(r.buf) < n {
		r.buf = make([]float32, n)
	}
	if err := readInto(f, e, r.buf[:n]); err != nil {
		return err
	}
	return use(r.buf[:n])
}

// view is a tensor's place in the mapped file, where its bytes are float32s as
// this machine has them.
func (f *File) view(e Entry) ([]float32, bool) {
	if e.DType != F32 || !e.inOrder() || e.Size == 0 || e.Offset%4 != 0 || !littleEndian || e.Offset+e.Size > int64(len(f.mapping)) {
		return nil, false
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&f.mapping[e.Offset])), e.Size/4), true
}

// guarded runs use, which reads mapped memory. Where the file has been cut short
// in the meantime, or its disk fails, such a read faults; that becomes an error,
// as it does for any other read. No other panic is held up.
func guarded(use func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		var fault interface {
			runtime.Error
			Addr() uintptr
		}
		if e, ok := p.(error); !ok || !errors.As(e, &fault) {
			panic(p)
		}
		err = errors.New("the file was cut short or cannot be read any more")
	}()
	return use()
}
