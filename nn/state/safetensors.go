package state

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Entry describes one tensor of a file.
type Entry struct {
	Name   string
	DType  DType
	Shape  []int // sizes, the slowest axis first; empty for a scalar
	Offset int64 // of its first byte, from the start of the file
	Size   int64 // in bytes, as it is read: row after row without gaps

	// Strides are the steps along each axis, in elements, of a tensor that lies
	// in the file in another order, with gaps, or with rows that are there once.
	// nil: row after row without gaps.
	Strides []int

	Unlike Unlike // how the file's elements differ from the tensor's
}

// noOffset is the place of a tensor whose values cannot be read.
const noOffset = -1

// Readable reports whether the file has the tensor's bytes. It has none of a sparse
// tensor, for one, which is only listed for those who miss it.
func (e Entry) Readable() bool { return e.Offset != noOffset }

// inOrder reports whether the tensor's bytes are those of the file, one after another.
func (e Entry) inOrder() bool {
	return e.Strides == nil && e.Unlike == Unlike{} && e.Offset != noOffset
}

// Len returns the number of elements.
func (e Entry) Len() int {
	n := 1
	for _, s := range e.Shape {
		n *= s
	}
	return n
}

// File is an open file of named tensors, of any format. Only what describes the
// tensors is in memory.
type File struct {
	name     string
	format   Format
	r        io.ReaderAt
	closer   io.Closer // nil when the caller owns r
	mapping  mapping   // of the whole file; empty where there is none
	header   header
	names    []string
	size     int64
	checksum checksum // of a file that WriteChecked wrote
}

// ReadSafetensors reads the header of a file of size bytes from r, which stays
// in use until the last read. Errors call the file name.
func ReadSafetensors(r io.ReaderAt, size int64, name string) (*File, error) {
	h, err := readHeader(r, size)
	if err != nil {
		return nil, fmt.Errorf("state: %s: %w", name, err)
	}
	f := newFile(r, size, name, Safetensors, h)
	f.checksum = takeChecksum(h.meta)
	return f, nil
}

func newFile(r io.ReaderAt, size int64, name string, format Format, h header) *File {
	return &File{name: name, format: format, r: r, size: size, header: h, names: slices.Sorted(maps.Keys(h.entries))}
}

// narrow leaves only the tensors whose names begin with a key and a dot, under the rest
// of their names. It reports whether there are any.
func (f *File) narrow(key string) bool {
	inner := map[string]Entry{}
	for name, e := range f.header.entries {
		if rest, ok := strings.CutPrefix(name, key+"."); ok && rest != "" {
			e.Name = rest
			inner[rest] = e
		}
	}
	if len(inner) == 0 {
		return false
	}
	f.header.entries, f.names = inner, slices.Sorted(maps.Keys(inner))
	return true
}

// narrowed is the file after narrow, or an error where no name begins so. An empty key
// leaves it as it is.
func (f *File) narrowed(key string) (*File, error) {
	if key != "" && !f.narrow(key) {
		return nil, fmt.Errorf("state: %s: no name of a tensor begins with %s", f.name, quote(key+"."))
	}
	return f, nil
}

// Close closes what Open opened. Nothing that was lent may be in use.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return errors.Join(f.mapping.unmap(), f.closer.Close())
}

// Format returns the format of the file.
func (f *File) Format() Format { return f.format }

// Name returns the path or name the file was opened under.
func (f *File) Name() string { return f.name }

// Mapped returns how many bytes of the file are mapped into memory: 0 where it is read piece by piece.
func (f *File) Mapped() int64 { return int64(len(f.mapping)) }

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Metadata returns the file's free-form strings, empty when it has none. The
// two entries of WriteChecked are not among them.
func (f *File) Metadata() map[string]string { return maps.Clone(f.header.meta) }

// Entry returns the description of a tensor and whether the file has it.
func (f *File) Entry(name string) (Entry, bool) {
	e, ok := f.header.entries[name]
	e.Shape, e.Strides = slices.Clone(e.Shape), slices.Clone(e.Strides)
	return e, ok
}

// Reader returns a stream of the raw little-endian bytes of a tensor, row after
// row.
func (f *File) Reader(name string) (io.Reader, error) {
	e, err := f.find(name)
	if err != nil {
		return nil, err
	}
	if e.inOrder() {
		return io.NewSectionReader(f.r, e.Offset, e.Size), nil
	}
	b, err := gather(f.r, e)
	if err != nil {
		return nil, f.tensorError(name, err)
	}
	return bytes.NewReader(b), nil
}

// Bytes returns the raw little-endian bytes of a tensor.
func (f *File) Bytes(name string) ([]byte, error) {
	e, err := f.find(name)
	if err != nil {
		return nil, err
	}
	if int64(int(e.Size)) != e.Size {
		return nil, f.tensorError(name, errors.New("too large for this machine"))
	}
	if !e.inOrder() {
		b, err := gather(f.r, e)
		if err != nil {
			return nil, f.tensorError(name, err)
		}
		return b, nil
	}
	b := make([]byte, e.Size)
	if err := readFullAt(f.r, b, e.Offset); err != nil {
		return nil, f.tensorError(name, err)
	}
	return b, nil
}

// Float32s returns a tensor of float, integer or BOOL type as float32, row
// after row. F64 and wide integers are rounded to nearest, a F64 beyond the
// range of float32 to infinity.
func (f *File) Float32s(name string) ([]float32, error) {
	return readAs[float32](f, name, DType.Numeric)
}

// Float64s is Float32s in float64; only I64 and U64 may need rounding.
func (f *File) Float64s(name string) ([]float64, error) {
	return readAs[float64](f, name, DType.Numeric)
}

// Int64s returns a tensor of integer or BOOL type. Floats are refused, and so
// are U64 values of 2^63 and more.
func (f *File) Int64s(name string) ([]int64, error) {
	out, err := readAs[int64](f, name, DType.integer)
	if err != nil {
		return nil, err
	}
	if f.header.entries[name].DType == U64 {
		for i, v := range out {
			if v < 0 {
				return nil, f.tensorError(name, fmt.Errorf("element %d, %d, does not fit in int64", i, uint64(v)))
			}
		}
	}
	return out, nil
}

// readAs reads a whole tensor whose type the caller accepts.
func readAs[T float32 | float64 | int64](f *File, name string, accepts func(DType) bool) ([]T, error) {
	e, err := f.find(name)
	if err != nil {
		return nil, err
	}
	if !accepts(e.DType) {
		var t T
		return nil, f.tensorError(name, fmt.Errorf("%s cannot be read as %T", e.DType, t))
	}
	out := make([]T, e.Len())
	if err := readInto(f, e, out); err != nil {
		return nil, f.tensorError(name, err)
	}
	return out, nil
}

// readInto converts the elements of e, of numeric type, into dst, in chunks so
// that no raw copy of the tensor is made.
func readInto[T float32 | float64 | int64](f *File, e Entry, dst []T) error {
	if !e.inOrder() {
		raw, err := gather(f.r, e)
		if err != nil {
			return err
		}
		decode(dst, raw, e.DType)
		return nil
	}
	const chunk = 64 << 10 // a multiple of every element size
	size := e.DType.Size()
	buf := make([]byte, min(chunk, e.Size))
	for off := e.Offset; len(dst) > 0; {
		n := min(len(dst), len(buf)/size)
		raw := buf[:n*size]
		if err := readFullAt(f.r, raw, off); err != nil {
			return err
		}
		decode(dst[:n], raw, e.DType)
		dst = dst[n:]
		off += int64(len(raw))
	}
	return nil
}

func (f *File) find(name string) (Entry, error) {
	e, ok := f.header.entries[name]
	if !ok {
		return Entry{}, f.tensorError(name, errors.New("not in the file"))
	}
	return e, nil
}

func (f *File) tensorError(name string, err error) error {
	return fmt.Errorf("state: %s: tensor %s: %w", f.name, quote(name), err)
}

// readFullAt fills b from offset off, or returns an error.
func readFullAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil // ReadAt may say io.EOF at the very end
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
