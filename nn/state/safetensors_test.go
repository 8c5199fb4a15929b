package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// file builds a file from header text and data, without any check.
func file(header string, data ...byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func open(b []byte) (*File, error) {
	return ReadSafetensors(bytes.NewReader(b), int64(len(b)), "x.safetensors")
}

func mustOpen(t *testing.T, b []byte) *File {
	t.Helper()
	f, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// words lays out little-endian words of the given size.
func words(size int, values ...uint64) []byte {
	var b []byte
	for _, v := range values {
		b = append(b, binary.LittleEndian.AppendUint64(nil, v)[:size]...)
	}
	return b
}

func mustWrite(t *testing.T, meta map[string]string, tensors ...Named) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSafetensors(&b, meta, tensors); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The format's documentation shows this layout; the bytes are written out by
// hand so that reader and writer cannot share a mistake.
func TestReadHandWrittenFile(t *testing.T) {
	header := `{"__metadata__":{"format":"pt"},` +
		`"b":{"dtype":"F32","shape":[2,1],"data_offsets":[4,12],"later":{"x":[1]}},` +
		`"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]},` +
		`"none":{"dtype":"F32","shape":[0,3],"data_offsets":[4,4]}}   `
	b := file(header, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0)
	f := mustOpen(t, b)
	if diff := cmp.Diff([]string{"a", "b", "none"}, f.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"format": "pt"}, f.Metadata()); diff != "" {
		t.Error(diff)
	}
	e, ok := f.Entry("b")
	want := Entry{Name: "b", DType: F32, Shape: []int{2, 1}, Offset: int64(len(b)) - 8, Size: 8}
	if diff := cmp.Diff(want, e); !ok || diff != "" {
		t.Error(ok, diff)
	}
	if e.Len() != 2 {
		t.Errorf("Len = %d", e.Len())
	}
	if _, ok := f.Entry("c"); ok {
		t.Error("Entry found a tensor that is not there")
	}
	values, err := f.Float32s("b")
	if diff := cmp.Diff([]float32{1, -2}, values); err != nil || diff != "" {
		t.Error(err, diff)
	}
	ints, err := f.Int64s("a")
	if diff := cmp.Diff([]int64{-2}, ints); err != nil || diff != "" {
		t.Error(err, diff)
	}
	raw, err := f.Bytes("a")
	if diff := cmp.Diff([]byte{0xfe, 0xff, 0xff, 0xff}, raw); err != nil || diff != "" {
		t.Error(err, diff)
	}
	none, err := f.Float64s("none")
	if err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	r, err := f.Reader("b")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = io.ReadAll(r); err != nil || !bytes.Equal(raw, b[len(b)-8:]) {
		t.Error(raw, err)
	}
}

func TestConversions(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		dtype DType
		data  []byte
		want  []float64
	}{
		{F64, words(8, math.Float64bits(1.5), math.Float64bits(-inf)), []float64{1.5, -inf}},
		{F32, words(4, uint64(math.Float32bits(-0.25))), []float64{-0.25}},
		// One, -2, largest, smallest subnormal, largest subnormal, smallest normal, infinities.
		{F16, words(2, 0x3c00, 0xc000, 0x7bff, 1, 0x83ff, 0x0400, 0x7c00, 0xfc00),
			[]float64{1, -2, 65504, 0x1p-24, -1023 * 0x1p-24, 0x1p-14, inf, -inf}},
		{BF16, words(2, 0x3f80, 0xc040, 0x7f80), []float64{1, -3, inf}},
		{I64, words(8, 1, math.MaxUint64), []float64{1, -1}},
		{I32, words(4, 0x80000000), []float64{math.MinInt32}},
		{I16, words(2, 0x8000, 7), []float64{math.MinInt16, 7}},
		{I8, []byte{0x80, 5}, []float64{-128, 5}},
		{U64, words(8, 1<<63), []float64{0x1p63}},
		{U32, words(4, math.MaxUint32), []float64{math.MaxUint32}},
		{U16, words(2, 0xffff), []float64{65535}},
		{U8, []byte{0xff}, []float64{255}},
		{BOOL, []byte{0, 1, 2}, []float64{0, 1, 1}},
	}
	for _, tc := range tests {
		t.Run(string(tc.dtype), func(t *testing.T) {
			f := mustOpen(t, mustWrite(t, nil, Named{Name: "t", DType: tc.dtype, Shape: []int{len(tc.want)}, Raw: tc.data}))
			wide, err := f.Float64s("t")
			if diff := cmp.Diff(tc.want, wide); err != nil || diff != "" {
				t.Error(err, diff)
			}
			narrow, err := f.Float32s("t")
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range tc.want {
				if narrow[i] != float32(v) {
					t.Errorf("Float32s[%d] = %v, want %v", i, narrow[i], float32(v))
				}
			}
			ints, err := f.Int64s("t")
			switch {
			case !tc.dtype.integer() || tc.dtype == U64:
				if err == nil || !strings.Contains(err.Error(), `tensor "t"`) {
					t.Errorf("Int64s = %v, %v; want an error naming the tensor", ints, err)
				}
			case err != nil:
				t.Error(err)
			default:
				for i, v := range tc.want {
					if ints[i] != int64(v) {
						t.Errorf("Int64s[%d] = %v, want %v", i, ints[i], v)
					}
				}
			}
		})
	}
}

func TestConversionNaN(t *testing.T) {
	f := mustOpen(t, mustWrite(t, nil,
		Named{Name: "f16", DType: F16, Shape: []int{1}, Raw: words(2, 0x7e00)},
		Named{Name: "bf16", DType: BF16, Shape: []int{1}, Raw: words(2, 0x7fc0)}))
	for _, name := range f.Names() {
		if v, err := f.Float32s(name); err != nil || v[0] == v[0] {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
}

// Tensors longer than the chunk they are read and written in.
func TestRoundTripLong(t *testing.T) {
	floats := make([]float32, 50_001)
	ints := make([]int32, 33_333)
	for i := range floats {
		floats[i] = float32(i) - 7.25
	}
	for i := range ints {
		ints[i] = int32(-i)
	}
	f := mustOpen(t, mustWrite(t, nil,
		Named{Name: "f", DType: F32, Shape: []int{3, 16667}, Float32s: floats},
		Named{Name: "i", DType: I32, Shape: []int{len(ints)}, Int32s: ints}))
	got, err := f.Float32s("f")
	if diff := cmp.Diff(floats, got); err != nil || diff != "" {
		t.Fatal(err, diff)
	}
	gotInts, err := f.Int64s("i")
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range gotInts {
		if v != int64(ints[i]) {
			t.Fatalf("i[%d] = %d, want %d", i, v, ints[i])
		}
	}
}

func TestHostileFiles(t *testing.T) {
	const one = `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	entry := func(dtype, shape, offsets string) string {
		return `{"a":{"dtype":` + dtype + `,"shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	length := func(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
	data4 := []byte{0, 0, 0, 0}
	tests := []struct {
		name string
		file []byte
		want string // part of the error
	}{
		{"empty", nil, "0 bytes are too few"},
		{"short length", []byte{1, 2, 3}, "3 bytes are too few"},
		{"no header", length(0), "header: unexpected EOF"},
		{"length 2^63", length(1 << 63), "above the format's limit"},
		{"length max", length(math.MaxUint64), "above the format's limit"},
		{"length over the limit", length(maxHeader + 1), "above the format's limit"},
		{"length over the file", length(maxHeader), "does not fit in a file of 8 bytes"},
		{"cut header", file(one)[:20], "does not fit"},
		{"cut data", file(one, 0, 0, 0), `tensor "a": data_offsets [0 4] run past the 3 bytes`},
		{"data after", file(one, 0, 0, 0, 0, 9), "1 bytes follow the last tensor"},
		{"not UTF-8", file("{\"\xff\":1}"), "UTF-8"},
		{"not JSON", file("hello"), "header: "},
		{"array", file("[]"), "header: want '{'"},
		{"cut JSON", file(`{"a":{"dtype":"F32"`), "unexpected EOF"},
		{"two objects", file(`{}{}`), "2 bytes follow the JSON"},
		{"trailing comma", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}`, data4...), "header: "},
		{"duplicate tensor", file(one[:len(one)-1]+","+one[1:], data4...), `key "a" stands twice`},
		{"duplicate field", file(`{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, data4...), `tensor "a": key "dtype" stands twice`},
		{"duplicate metadata", file(`{"__metadata__":{"k":"1","k":"2"}}`), `key "k" stands twice`},
		{"metadata number", file(`{"__metadata__":{"k":1}}`), "want a string"},
		{"tensor number", file(`{"a":1}`), `tensor "a": want '{'`},
		{"no dtype", file(`{"a":{"shape":[1],"data_offsets":[0,4]}}`, data4...), "are required"},
		{"other case", file(`{"a":{"DType":"F32","shape":[1],"data_offsets":[0,4]}}`, data4...), "are required"},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, data4...), "are required"},
		{"no dtype's name", file(entry(`"F 31"`, "[1]", "[0,4]"), data4...), `tensor "a": unknown dtype "F 31"`},
		{"unknown dtype past the end", file(entry(`"F4"`, "[1]", "[0,8]"), data4...), "run past the 4 bytes"},
		{"one offset", file(entry(`"F32"`, "[1]", "[0]"), data4...), "are required"},
		{"three offsets", file(entry(`"F32"`, "[1]", "[0,4,4]"), data4...), "more than 2 numbers"},
		{"backwards", file(entry(`"F32"`, "[1]", "[4,0]"), data4...), "run backwards"},
		{"negative size", file(entry(`"F32"`, "[-1]", "[0,4]"), data4...), `"-1" is not an integer`},
		{"negative offset", file(entry(`"F32"`, "[1]", "[-4,0]"), data4...), `"-4" is not an integer`},
		{"fraction", file(entry(`"F32"`, "[1.0]", "[0,4]"), data4...), `"1.0" is not an integer`},
		{"string size", file(entry(`"F32"`, `["1"]`, "[0,4]"), data4...), "want an integer"},
		{"null shape", file(entry(`"F32"`, "null", "[0,4]"), data4...), "want '['"},
		{"size over 2^63", file(entry(`"F32"`, "[9223372036854775808]", "[0,4]"), data4...), "is not an integer"},
		{"product overflow", file(entry(`"F32"`, "[4294967296,4294967296]", "[0,0]")), "is too large"},
		{"overflow hidden by 0", file(entry(`"F32"`, "[0,4294967296,4294967296]", "[0,0]")), "is too large"},
		{"product wraps to 4", file(entry(`"U8"`, "[4611686018427387905,4]", "[0,4]"), data4...), "is too large"},
		{"size mismatch", file(entry(`"F32"`, "[2]", "[0,4]"), data4...), "F32 [2] takes 8 bytes, data_offsets [0 4] give 4"},
		{"far offset", file(entry(`"F32"`, "[1]", "[9223372036854775803,9223372036854775807]"), data4...), "run past"},
		{"huge tensor", file(entry(`"U8"`, "[268435455]", "[0,268435455]"), data4...), "run past the 4 bytes"},
		{"too many dimensions", file(entry(`"F32"`, "["+strings.Repeat("1,", maxRank)+"1]", "[0,4]"), data4...), "more than 64 numbers"},
		{"hole in front", file(entry(`"F32"`, "[1]", "[4,8]"), append(data4, data4...)...), "leave a hole after 0"},
		{"overlap", file(`{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}`, data4...), `tensor "b": data_offsets start at 2 inside`},
		{"same place", file(`{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}`, data4...), `tensor "b": data_offsets start at 0 inside`},
		{"deep nesting", file(`{"a":{"x":` + strings.Repeat("[", 100_000)), `tensor "a": "x": `},
		{"long name", file(`{"` + strings.Repeat("n", 5000) + `":1}`), `n"...: the name has 5000 bytes`},
		{"name for terminals", file(`{"a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, data4...), `tensor "a\x1b[2J": the name has control characters`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(tc.file)
			if err == nil {
				t.Fatal("accepted")
			}
			if msg := err.Error(); !strings.Contains(msg, tc.want) || !strings.HasPrefix(msg, "state: x.safetensors: ") || len(msg) > 600 {
				t.Errorf("error %q, want %q in it", msg, tc.want)
			}
		})
	}
}

// A claim of a large header in a small file must not allocate the header.
func TestHostileHeaderAllocatesNothing(t *testing.T) {
	b := append(binary.LittleEndian.AppendUint64(nil, maxHeader), '{')
	n := bytesAllocated(func() {
		if _, err := open(b); err == nil {
			t.Error("accepted")
		}
	})
	if n > 100_000 {
		t.Errorf("%d bytes allocated for a file of %d", n, len(b))
	}
}

// bytesAllocated is how much memory a function takes, also what it has given back, with what its stack grew by.
func bytesAllocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc + max(after.StackInuse, before.StackInuse) - before.StackInuse
}

func TestReadErrors(t *testing.T) {
	b := mustWrite(t, nil, Named{Name: "a", DType: F8E4M3, Shape: []int{2}, Raw: []byte{1, 2}},
		Named{Name: "b", DType: F32, Shape: []int{1}, Float32s: []float32{1}})
	f := mustOpen(t, b)
	if _, err := f.Float32s("a"); err == nil || !strings.Contains(err.Error(), "F8_E4M3 cannot be read as float32") {
		t.Error(err)
	}
	if _, err := f.Int64s("b"); err == nil || !strings.Contains(err.Error(), "F32 cannot be read as int64") {
		t.Error(err)
	}
	if _, err := f.Bytes("c"); err == nil || !strings.Contains(err.Error(), `x.safetensors: tensor "c": not in the file`) {
		t.Error(err)
	}
	// The file shrinks after its header was read.
	cut, err := ReadSafetensors(bytes.NewReader(b[:len(b)-4]), int64(len(b)), "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cut.Float32s("b"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if _, err := cut.Bytes("b"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestOpenSafetensors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.safetensors")
	if _, err := OpenSafetensors(path); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if _, err := OpenSafetensors(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("junk"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSafetensors(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
	if err := os.WriteFile(path, mustWrite(t, nil, Named{Name: "a", DType: I32, Int32s: []int32{7}}), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Int64s("a"); err != nil || v[0] != 7 || f.Name() != path {
		t.Error(v, err, f.Name())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Int64s("a"); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// Tensors of types that this package does not know are there as bytes, and only who reads their values is told so.
func TestUnknownTypes(t *testing.T) {
	text := `{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	for i, d := range []string{"F4", "F6_E2M3", "F6_E3M2", "F8_FUTURE"} {
		text += fmt.Sprintf(`,"%c":{"dtype":%q,"shape":[3],"data_offsets":[%d,%d]}`, 'a'+i, d, 4+2*i, 6+2*i)
	}
	text += `,"z":{"dtype":"C128","shape":[1],"data_offsets":[12,28]},"y":{"dtype":"F8_E4M3FNUZ","shape":[2],"data_offsets":[28,30]}}`
	f, err := open(append(file(text), append([]byte{0, 0, 0x80, 0x3f}, make([]byte, 26)...)...))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Float32s("w"); err != nil || v[0] != 1 {
		t.Errorf("%v %v", v, err)
	}
	for _, name := range []string{"a", "b", "c", "d", "y", "z"} {
		e, _ := f.Entry(name)
		if b, err := f.Bytes(name); err != nil || int64(len(b)) != e.Size {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
		if _, err := f.Float32s(name); err == nil || !strings.Contains(err.Error(), string(e.DType)+" cannot be read as float32") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
