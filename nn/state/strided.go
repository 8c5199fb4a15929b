package state

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// contiguous reports whether elements lie row after row without gaps.
func contiguous(shape, strides []int) bool {
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] > 1 && strides[i] != step {
			return false
		}
		step *= shape[i]
	}
	return true
}

// span is the number of elements from the first to the last of a tensor, both
// included. Its shape was checked by byteSize.
func span(shape, strides []int) (int64, error) {
	last := int64(0)
	for i, n := range shape {
		if strides[i] < 0 {
			return 0, fmt.Errorf("strides %v run backwards", strides)
		}
		if n == 0 {
			return 0, nil
		}
		if step := int64(strides[i]); n > 1 && step > (math.MaxInt64/16-last)/int64(n-1) {
			return 0, fmt.Errorf("strides %v are too large", strides)
		}
		last += int64(n-1) * int64(strides[i])
	}
	return last + 1, nil
}

// gather reads a tensor whose bytes are not those of the file, and returns them row
// after row.
func gather(r io.ReaderAt, e Entry) ([]byte, error) {
	if e.Offset == noOffset {
		return nil, fmt.Errorf("%s cannot be read", e.DType)
	}
	var b []byte
	var err error
	if e.Strides != nil {
		b, err = gatherRows(r, e)
	} else {
		b = make([]byte, e.Size)
		err = readFullAt(r, b, e.Offset)
	}
	if err == nil {
		e.Unlike.undo(b, e.DType)
	}
	return b, err
}

// gatherRows reads a tensor with strides.
func gatherRows(r io.ReaderAt, e Entry) ([]byte, error) {
	n, err := span(e.Shape, e.Strides)
	if err != nil {
		return nil, err
	}
	size := e.DType.Size()
	if n*int64(size) > math.MaxInt || int64(int(e.Size)) != e.Size {
		return nil, errors.New("too large for this machine")
	}
	raw := make([]byte, int(n)*size)
	if err := readFullAt(r, raw, e.Offset); err != nil {
		return nil, err
	}
	out := make([]byte, 0, e.Size)
	var walk func(axis, at int)
	walk = func(axis, at int) {
		if axis == len(e.Shape) {
			out = append(out, raw[at*size:(at+1)*size]...)
			return
		}
		for i := range e.Shape[axis] {
			walk(axis+1, at+i*e.Strides[axis])
		}
	}
	if e.Size > 0 {
		walk(0, 0)
	}
	return out, nil
}
