package npy

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/regular"
	"github.com/gobeit/gobeit/tensor"
)

// Load returns the array of a .npy file as a tensor on dev: Float32 for floats, Int32 for bool and integers.
func Load(dev *tensor.Device, path string) (*tensor.Tensor, error) {
	f, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	t, err := read(dev, bufio.NewReader(f), info.Size(), math.MaxInt64)
	if err != nil {
		return nil, fmt.Errorf("npy: %s: %w", path, err)
	}
	return t, nil
}

// Save writes a tensor to a .npy file: Float32 and BFloat16 as float32, Int32 as int32. A file at path is replaced at the end, as a whole or
// not at all.
func Save(path string, t *tensor.Tensor) error {
	return state.WriteFileAtomic(path, func(w io.Writer) error { return write(w, t) })
}

// elementSize is the size of the elements that arrays become, Float32 or Int32.
const elementSize = 4

// read reads an array that takes size bytes in r, and may take limit bytes as a tensor.
func read(dev *tensor.Device, r io.Reader, size, limit int64) (*tensor.Tensor, error) {
	h, rest, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	n := rest / int64(h.dtype.Size())
	if n > min(limit, math.MaxInt)/elementSize {
		return nil, fmt.Errorf("%s %v takes more memory than the %d bytes that are left to it", h.dtype, h.shape, limit)
	}
	var build func(dev *tensor.Device, shape []int) *tensor.Tensor
	switch h.dtype {
	case state.F16, state.F32, state.F64:
		values, e := floats(r, h, int(n))
		build, err = func(dev *tensor.Device, shape []int) *tensor.Tensor { return tensor.FromSlice(dev, values, shape...) }, e
	default:
		values, e := ints(r, h, int(n))
		build, err = func(dev *tensor.Device, shape []int) *tensor.Tensor { return tensor.FromInts(dev, values, shape...) }, e
	}
	if err == nil {
		err = atEnd(r)
	}
	if err != nil {
		return nil, err
	}
	if !h.fortran {
		return build(dev, h.shape), nil
	}
	reversed, order := slices.Clone(h.shape), []int{}
	slices.Reverse(reversed)
	for i := range reversed {
		order = append(order, len(reversed)-1-i)
	}
	stored := build(tensor.CPU(), reversed)
	defer stored.Release()
	return stored.Permute(order...).To(dev), nil
}

// atEnd returns an error unless r has ended. The end of a file of an archive is where its checksum is compared.
func atEnd(r io.Reader) error {
	var more [1]byte
	switch _, err := io.ReadFull(r, more[:]); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("bytes follow the array")
	default:
		return err
	}
}

// floats reads n numbers as float32.
func floats(r io.Reader, h header, n int) ([]float32, error) {
	values := make([]float32, n)
	err := each(r, h, n, func(at int, raw []byte) error {
		h.dtype.Float32s(values[at:at+len(raw)/h.dtype.Size()], raw)
		return nil
	})
	return values, err
}

// ints reads n numbers as int32.
func ints(r io.Reader, h header, n int) ([]int32, error) {
	values := make([]int32, n)
	var wide []int64
	err := each(r, h, n, func(at int, raw []byte) error {
		wide = slices.Grow(wide[:0], len(raw))[:len(raw)/h.dtype.Size()]
		h.dtype.Int64s(wide, raw)
		for i, v := range wide {
			wraps := h.dtype == state.U64 && v < 0
			if int64(int32(v)) == v && !wraps {
				values[at+i] = int32(v)
				continue
			}
			text := fmt.Sprint(v)
			if wraps {
				text = fmt.Sprint(uint64(v))
			}
			return fmt.Errorf("element %d, %s, does not fit in int32: save the array with x.astype('int32') or x.astype('float32')", at+i, text)
		}
		return nil
	})
	return values, err
}

// each reads n elements and calls use with the little-endian bytes of some at a time, of which the first is element at.
func each(r io.Reader, h header, n int, use func(at int, raw []byte) error) error {
	size := h.dtype.Size()
	buf := make([]byte, min(n, 1<<14)*size)
	for at := 0; at < n; {
		raw := buf[:min(len(buf), (n-at)*size)]
		if _, err := io.ReadFull(r, raw); err != nil {
			return cutShort(err)
		}
		if h.big {
			for number := range slices.Chunk(raw, size) {
				slices.Reverse(number)
			}
		}
		if err := use(at, raw); err != nil {
			return err
		}
		at += len(raw) / size
	}
	return nil
}

// write writes a tensor as a .npy file.
func write(w io.Writer, t *tensor.Tensor) error {
	if t.DType() == tensor.Int32 {
		return writeNumbers(w, t.Shape(), t.Ints())
	}
	return writeNumbers(w, t.Shape(), t.Float32s())
}

// writeNumbers writes an array.
func writeNumbers[E float32 | int32](w io.Writer, shape []int, values []E) error {
	if _, err := w.Write(encodeHeader(descr[E](), shape, 0)); err != nil {
		return err
	}
	var buf []byte
	for part := range slices.Chunk(values, 1<<14) {
		buf = appendNumbers(buf[:0], part)
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// descr is NumPy's name of a type of numbers.
func descr[E float32 | int32]() string {
	if _, ok := any(*new(E)).(float32); ok {
		return "<f4"
	}
	return "<i4"
}

// appendNumbers appends numbers as a file has them.
func appendNumbers[E float32 | int32](buf []byte, values []E) []byte {
	buf, err := binary.Append(buf, binary.LittleEndian, values)
	if err != nil {
		panic(err) // numbers of a fixed size always encode
	}
	return buf
}
