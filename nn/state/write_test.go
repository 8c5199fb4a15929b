package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWriteExactBytes(t *testing.T) {
	got := mustWrite(t, map[string]string{"z": "1", "a": "<&>"},
		Named{Name: "b", DType: U8, Shape: []int{2}, Raw: []byte{8, 9}},
		Named{Name: "y", DType: I32, Shape: []int{1, 1}, Int32s: []int32{-2}},
		Named{Name: "x", DType: F32, Float32s: []float32{1}},
		Named{Name: "empty", DType: F32, Shape: []int{0}})
	header := `{"__metadata__":{"a":"\u003c\u0026\u003e","z":"1"},` +
		`"empty":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},` +
		`"x":{"dtype":"F32","shape":[],"data_offsets":[0,4]},` +
		`"y":{"dtype":"I32","shape":[1,1],"data_offsets":[4,8]},` +
		`"b":{"dtype":"U8","shape":[2],"data_offsets":[8,10]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := file(header, 0, 0, 0x80, 0x3f, 0xfe, 0xff, 0xff, 0xff, 8, 9)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Fatal(diff)
	}
	f := mustOpen(t, got)
	if diff := cmp.Diff(map[string]string{"z": "1", "a": "<&>"}, f.Metadata()); diff != "" {
		t.Error(diff)
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	tensors := []Named{
		{Name: "h", DType: F16, Shape: []int{1}, Raw: []byte{1, 2}},
		{Name: "a", DType: F32, Shape: []int{2}, Float32s: []float32{1, 2}},
		{Name: "z", DType: F64, Shape: []int{1}, Raw: make([]byte, 8)},
		{Name: "c", DType: F32, Shape: []int{1}, Float32s: []float32{3}},
	}
	meta := map[string]string{"a": "1", "b": "2", "c": "3", "d": "4"}
	want := mustWrite(t, meta, tensors...)
	for range 8 {
		tensors = append(tensors[1:], tensors[0])
		if !bytes.Equal(want, mustWrite(t, meta, tensors...)) {
			t.Fatal("bytes depend on the order of the tensors")
		}
	}
	f := mustOpen(t, want)
	for _, name := range f.Names() {
		if e, _ := f.Entry(name); e.Offset%int64(e.DType.Size()) != 0 {
			t.Errorf("%s starts at %d, not aligned for %s", name, e.Offset, e.DType)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	one := []float32{1}
	tests := []struct {
		name    string
		meta    map[string]string
		tensors []Named
		want    string
	}{
		{"too few", nil, []Named{{Name: "a", DType: F32, Shape: []int{2}, Float32s: one}}, `tensor "a": F32 [2] takes 8 bytes, the data have 4`},
		{"too many", nil, []Named{{Name: "a", DType: U8, Shape: []int{2}, Raw: []byte{1, 2, 3}}}, "takes 2 bytes, the data have 3"},
		{"no data", nil, []Named{{Name: "a", DType: F32}}, "the data have 0"},
		{"other type", nil, []Named{{Name: "a", DType: I32, Float32s: one}}, "not of dtype I32"},
		{"other type for ints", nil, []Named{{Name: "a", DType: F32, Int32s: []int32{1}}}, "not of dtype F32"},
		{"two sources", nil, []Named{{Name: "a", DType: F32, Float32s: one, Raw: make([]byte, 4)}}, "more than one"},
		{"twice", nil, []Named{{Name: "a", DType: F32, Float32s: one}, {Name: "a", DType: U8, Raw: []byte{1}}}, "stands twice"},
		{"reserved", nil, []Named{{Name: "__metadata__", DType: F32, Float32s: one}}, "reserved"},
		{"bad name", nil, []Named{{Name: "\xff", DType: F32, Float32s: one}}, "UTF-8"},
		{"long name", nil, []Named{{Name: strings.Repeat("a", maxName+1), DType: F32, Float32s: one}}, "at most 1024"},
		{"name for terminals", nil, []Named{{Name: "a\x1b", DType: F32, Float32s: one}}, "control characters"},
		{"bad metadata", map[string]string{"k": "\xff"}, nil, "UTF-8"},
		{"unknown type", nil, []Named{{Name: "a", DType: "F31", Raw: []byte{1}}}, "unknown dtype"},
		{"negative", nil, []Named{{Name: "a", DType: F32, Shape: []int{-1}, Float32s: one}}, "negative"},
		{"overflow", nil, []Named{{Name: "a", DType: F32, Shape: []int{math.MaxInt, 2}, Float32s: one}}, "too large"},
		{"rank", nil, []Named{{Name: "a", DType: F32, Shape: make([]int, maxRank+1)}}, "at most 64"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bytes.Buffer
			err := WriteSafetensors(&b, tc.meta, tc.tensors)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q in it", err, tc.want)
			}
			if b.Len() != 0 {
				t.Errorf("%d bytes were written", b.Len())
			}
		})
	}
}

// limitedWriter takes n bytes and then behaves like a full disk.
type limitedWriter struct{ n int }

func (w *limitedWriter) Write(p []byte) (int, error) {
	if len(p) > w.n {
		n := w.n
		w.n = 0
		return n, syscall.ENOSPC
	}
	w.n -= len(p)
	return len(p), nil
}

func TestWriteToFullDisk(t *testing.T) {
	tensors := []Named{
		{Name: "a", DType: F32, Shape: []int{3}, Float32s: []float32{1, 2, 3}},
		{Name: "b", DType: U8, Shape: []int{3}, Raw: []byte{1, 2, 3}},
		{Name: "i", DType: I32, Shape: []int{2}, Int32s: []int32{1, 2}},
	}
	whole := len(mustWrite(t, nil, tensors...))
	for n := range whole {
		if err := WriteSafetensors(&limitedWriter{n}, nil, tensors); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d of %d bytes fit: error %v", n, whole, err)
		}
	}
	if err := WriteSafetensors(&limitedWriter{whole}, nil, tensors); err != nil {
		t.Error(err)
	}
}

// The writer must not copy tensors: what it allocates does not grow with them.
func TestWriteStreams(t *testing.T) {
	values := make([]float32, 4<<20)
	largest := 0
	w := writerFunc(func(p []byte) (int, error) {
		largest = max(largest, len(p))
		return len(p), nil
	})
	allocated := bytesAllocated(func() {
		err := WriteSafetensors(w, nil, []Named{{Name: "a", DType: F32, Shape: []int{len(values)}, Float32s: values}})
		if err != nil {
			t.Error(err)
		}
	})
	if largest > 64<<10 || allocated > 1<<20 {
		t.Errorf("largest write %d bytes, allocated %d", largest, allocated)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// FuzzReadSafetensors opens arbitrary bytes. What is accepted must be readable
// in full and survive being written again.
func FuzzReadSafetensors(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[],"data_offsets":[4,6]}}`, 0, 0, 0x80, 0x3f, 0, 0x3c))
	f.Add(file(`{"__metadata__":{"k":"v"},"e":{"dtype":"BOOL","shape":[0,3],"data_offsets":[0,0]}}  `))
	f.Add(file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, 1, 2, 3, 4))
	f.Add(binary.LittleEndian.AppendUint64(nil, 1<<63))
	f.Add(file(`{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]},"b":{"dtype":"C128","shape":[],"data_offsets":[2,18]}}`, make([]byte, 18)...))
	f.Add(mustWriteChecked(f, map[string]string{"k": "v"}, Named{Name: "a", DType: U8, Shape: []int{1}, Raw: []byte{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		src, err := open(b)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "state: x.safetensors: ") {
				t.Errorf("error does not name the file: %v", err)
			}
			return
		}
		if err := src.Verify(); err != nil && (!src.Checked() || !strings.HasPrefix(err.Error(), "state: x.safetensors: ")) {
			t.Errorf("checked %v, error %v", src.Checked(), err)
		}
		var tensors []Named
		for _, name := range src.Names() {
			e, _ := src.Entry(name)
			raw, err := src.Bytes(name)
			if err != nil {
				t.Fatal(err)
			}
			if e.DType.Numeric() {
				if v, err := src.Float32s(name); err != nil || len(v) != e.Len() {
					t.Fatal(len(v), e, err)
				}
			}
			if e.DType.Size() > 0 { // others can be read as bytes, and not be written
				tensors = append(tensors, Named{Name: name, DType: e.DType, Shape: e.Shape, Raw: raw})
			}
		}
		again := mustOpen(t, mustWrite(t, src.Metadata(), tensors...))
		if diff := cmp.Diff(src.Metadata(), again.Metadata()); diff != "" {
			t.Error(diff)
		}
		for _, want := range tensors {
			e, ok := again.Entry(want.Name)
			if diff := cmp.Diff(want.Shape, e.Shape); !ok || e.DType != want.DType || diff != "" {
				t.Error(ok, e, diff)
			}
			if raw, err := again.Bytes(want.Name); err != nil || !bytes.Equal(raw, want.Raw) {
				t.Error(err, raw, want.Raw)
			}
		}
	})
}

// Pieces make the same file as the whole would.
func TestWritePieces(t *testing.T) {
	values := make([]float32, 1000)
	for i := range values {
		values[i] = float32(i)
	}
	var want, got bytes.Buffer
	if err := WriteSafetensors(&want, nil, []Named{{Name: "x", DType: F32, Shape: []int{10, 100}, Float32s: values}}); err != nil {
		t.Fatal(err)
	}
	room := make([]float32, 64) // used again for each piece
	pieces := func(yield func([]float32) bool) {
		for lo := 0; lo < len(values); lo += len(room) {
			if n := copy(room, values[lo:]); !yield(room[:n]) {
				return
			}
		}
	}
	if err := WriteSafetensors(&got, nil, []Named{{Name: "x", DType: F32, Shape: []int{10, 100}, Pieces: pieces}}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Error("files differ")
	}
	for name, x := range map[string]Named{
		"not of dtype":  {Name: "x", DType: I32, Shape: []int{1000}, Pieces: pieces},
		"more than one": {Name: "x", DType: F32, Shape: []int{1000}, Pieces: pieces, Float32s: values},
	} {
		if err := WriteSafetensors(io.Discard, nil, []Named{x}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if err := WriteSafetensors(failing{}, nil, []Named{{Name: "x", DType: F32, Shape: []int{1000}, Pieces: pieces}}); err == nil {
		t.Error("a failing writer goes unnoticed")
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no room") }
