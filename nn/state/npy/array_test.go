package npy

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// file is a .npy file of version 1 with the dict and the numbers given.
func file(dict string, numbers ...byte) []byte {
	head := binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(dict)))
	return append(append(head, dict...), numbers...)
}

// dict is the text of a header.
func dict(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, fortran, shape)
}

// load reads the bytes of a .npy file.
func load(content []byte) (*tensor.Tensor, error) {
	return read(tensor.CPU(), bytes.NewReader(content), int64(len(content)), math.MaxInt64)
}

// Numbers of every type, written out, in both byte orders.
func TestTypes(t *testing.T) {
	for _, c := range []struct {
		descr   string
		numbers string
		want    string
	}{
		{"<f4", "\x00\x00\x80\x3f\x00\x00\x20\xc0", "[   1 -2.5]"},
		{">f4", "\x3f\x80\x00\x00\xc0\x20\x00\x00", "[   1 -2.5]"},
		{"<f2", "\x00\x3c\x00\xc1", "[   1 -2.5]"},
		{">f2", "\x3c\x00\xc1\x00", "[   1 -2.5]"},
		{"<f8", "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x04\xc0", "[   1 -2.5]"},
		{">f8", "\x3f\xf0\x00\x00\x00\x00\x00\x00\xc0\x04\x00\x00\x00\x00\x00\x00", "[   1 -2.5]"},
		{"|b1", "\x00\x01", "[0 1]"},
		{"|u1", "\x07\xff", "[  7 255]"},
		{"|i1", "\x07\xff", "[ 7 -1]"},
		{"<i2", "\x07\x00\xff\xff", "[ 7 -1]"},
		{">u2", "\x00\x07\xff\xff", "[    7 65535]"},
		{"<i4", "\x07\x00\x00\x00\xff\xff\xff\xff", "[ 7 -1]"},
		{">i4", "\x00\x00\x00\x07\xff\xff\xff\xff", "[ 7 -1]"},
		{"<u4", "\x07\x00\x00\x00\xff\xff\xff\x7f", "[         7 2147483647]"},
		{"<i8", "\x07\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff", "[ 7 -1]"},
		{">u8", "\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00\x01", "[7 1]"},
	} {
		x, err := load(file(dict(c.descr, "False", "(2,)"), []byte(c.numbers)...))
		if err != nil {
			t.Errorf("%s: %v", c.descr, err)
			continue
		}
		if got, kind := x.String(), x.DType(); got != c.want || (kind == tensor.Float32) != (c.descr[1] == 'f') {
			t.Errorf("%s: %s %s, want %s", c.descr, kind, got, c.want)
		}
	}
}

// Headers as NumPy and others write them, and shapes of any rank.
func TestHeaders(t *testing.T) {
	six := []byte{1, 2, 3, 4, 5, 6}
	version2 := append([]byte(magic+"\x02\x00\x2e\x00\x00\x00"), "{'descr':'|u1','fortran_order':False,'shape':6}"...)
	version2 = bytes.Replace(version2, []byte("6}"), []byte("(6,)}"), 1)
	version2[len(magic)+2] = byte(len(version2) - len(magic) - 6)
	for _, c := range []struct {
		name    string
		content []byte
		shape   tensor.Shape
		want    string
	}{
		{"C order", file(dict("|u1", "False", "(2, 3)"), six...), tensor.Shape{2, 3}, "[[1 2 3]\n [4 5 6]]"},
		{"Fortran order", file(dict("|u1", "True", "(2, 3)"), six...), tensor.Shape{2, 3}, "[[1 3 5]\n [2 4 6]]"},
		{"Fortran order, three axes", file(dict("|u1", "True", "(1, 2, 3)"), six...), tensor.Shape{1, 2, 3}, "[[[1 3 5]\n  [2 4 6]]]"},
		{"Fortran order, floats", file(dict("<f2", "True", "(1, 2)"), 0, 0x3c, 0, 0x40), tensor.Shape{1, 2}, "[[1 2]]"},
		{"scalar", file(dict("|u1", "False", "()"), 9), tensor.Shape{}, "9"},
		{"scalar, Fortran order", file(dict("|u1", "True", "()"), 9), tensor.Shape{}, "9"},
		{"empty", file(dict("<f4", "False", "(0, 3)")), tensor.Shape{0, 3}, "[]"},
		{"other quotes, order and spaces", file("{ \"shape\" :(6 , ) ,\"descr\": \"|u1\",'fortran_order':False}  \n", six...), tensor.Shape{6}, "[1 2 3 4 5 6]"},
		{"Python 2", file(dict("|u1", "False", "(6L,)"), six...), tensor.Shape{6}, "[1 2 3 4 5 6]"},
		{"version 2", append(version2, six...), tensor.Shape{6}, "[1 2 3 4 5 6]"},
	} {
		x, err := load(c.content)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, x.String()); diff != "" || !x.Shape().Equal(c.shape) {
			t.Errorf("%s: shape %v, %s", c.name, x.Shape(), diff)
		}
	}
}

// Hostile and damaged files give an error of one line.
func TestErrors(t *testing.T) {
	six := []byte{1, 2, 3, 4, 5, 6}
	good := file(dict("|u1", "False", "(6,)"), six...)
	axes := "(" + strings.Repeat("1,", 65) + ")"
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":              {nil, "not an array of NumPy"},
		"text":               {[]byte("1 2 3 4 5 6 7 8"), "not an array of NumPy"},
		"version":            {[]byte(magic + "\x04\x00\x00\x00"), "version 4 of the format is not known"},
		"cut in the prefix":  {good[:9], "the file is cut short"},
		"cut in the header":  {good[:30], "a header of 57 bytes"},
		"cut in the numbers": {good[:len(good)-1], "U8 [6] takes 6 bytes, and there are 5: the file is cut short"},
		"too much":           {append(bytes.Clone(good), 7), "U8 [6] takes 6 bytes, and there are 7"},
		"huge header":        {append([]byte(magic+"\x02\x00\xff\xff\xff\xff"), good...), "a header of 4294967295 bytes"},
		"huge shape":         {file(dict("<f4", "False", "(4611686018427387904, 4)"), six...), "is too large"},
		"huge shape of none": {file(dict("<f4", "False", "(0, 4611686018427387904, 4)")), "is too large"},
		"larger than 2^63":   {file(dict("<f4", "False", "(9223372036854775808,)"), six...), "each below 2^63"},
		"billions":           {file(dict("<f4", "False", "(1000000000,)"), six...), "takes 4000000000 bytes, and there are 6"},
		"negative":           {file(dict("|u1", "False", "(-6,)"), six...), "want at most 64 sizes"},
		"65 axes":            {file(dict("|u1", "False", axes), 1), "want at most 64 sizes"},
		"no tuple":           {file(dict("|u1", "False", "6"), six...), `want "(" before`},
		"no end":             {file("{'descr': '|u1', 'fortran_order': False, 'shape': (6,)", six...), `want "}" before`},
		"a call":             {file("{'descr': '|u1', 'fortran_order': False, 'shape': (len('abcdef'),)}", six...), "want at most 64 sizes"},
		"an escape":          {file(`{'d\x65scr': '|u1', 'fortran_order': False, 'shape': (6,)}`, six...), "want the end of a string"},
		"missing key":        {file("{'descr': '|u1', 'shape': (6,)}", six...), "want the keys descr, fortran_order and shape"},
		"unknown key":        {file("{'descr': '|u1', 'shape': (6,), 'x': 1}", six...), `"x" is not a key of the format`},
		"key twice":          {file("{'shape': (6,), 'descr': '|u1', 'shape': (6,)}", six...), `"shape" stands twice`},
		"more text":          {file(dict("|u1", "False", "(6,)")+"; import os", six...), `"; import os" follows the dict`},
		"objects":            {file(dict("|O", "False", "(6,)"), six...), "an array of Python objects"},
		"text elements":      {file(dict("<U5", "False", "(6,)"), six...), `elements of type "<U5" are not read here`},
		"complex":            {file(dict("<c8", "False", "(6,)"), six...), `elements of type "<c8"`},
		"no byte order":      {file(dict("|f4", "False", "(6,)"), six...), `elements of type "|f4"`},
		"structured":         {file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", six...), "a structured array"},
		"int64":              {file(dict("<i8", "False", "(1,)"), 0, 0, 0, 0, 1, 0, 0, 0), "element 0, 4294967296, does not fit in int32"},
		"uint64":             {file(dict("<u8", "False", "(1,)"), 255, 255, 255, 255, 255, 255, 255, 255), "element 0, 18446744073709551615, does not fit"},
		"uint32":             {file(dict("<u4", "False", "(2,)"), 0, 0, 0, 0, 0, 0, 0, 128), "element 1, 2147483648, does not fit"},
	} {
		_, err := load(c.content)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %s", name, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "bad.npy")
	if err := os.WriteFile(path, good[:30], 0o666); err != nil {
		t.Fatal(err)
	}
	for _, f := range []func() error{
		func() error { return second(Load(tensor.CPU(), path)) }, func() error { return second(LoadZip(tensor.CPU(), path)) },
		func() error { return second(Load(tensor.CPU(), path+"x")) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not name the file", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// What Save writes is what Load reads, for every dtype and for views.
func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	dev := tensor.CPU()
	x := tensor.FromSlice(dev, []float32{1, -2, 0.1, 4, 5, 6}, 2, 3)
	many := make([]float32, 40000) // several pieces
	for i := range many {
		many[i] = float32(i)
	}
	for name, from := range map[string]*tensor.Tensor{
		"float32": x, "a view": x.T(), "int32": tensor.FromInts(dev, []int32{7, -1, math.MinInt32}, 3), "scalar": tensor.Full(dev, 3),
		"empty": tensor.Zeros(dev, 2, 0), "bfloat16": tensor.Cast(x, tensor.BFloat16), "many": tensor.FromSlice(dev, many, 200, 200),
		"many axes": tensor.Full(dev, 2, make1s(40)...),
	} {
		if err := Save(path, from); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := Load(dev, path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if from.DType() == tensor.BFloat16 {
			from = tensor.Cast(from, tensor.Float32)
		}
		if got.DType() != from.DType() || !got.Shape().Equal(from.Shape()) || got.String() != from.String() {
			t.Errorf("%s: %v %v\n%v", name, got.DType(), got.Shape(), got)
		}
		if size := len(content(t, path)); (size-4*from.Size())%64 != 0 {
			t.Errorf("%s: the numbers begin at byte %d", name, size-4*from.Size())
		}
	}
	if err := Save(filepath.Join(path, "x.npy"), x); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a folder that is a file: %v", err)
	}
}

// make1s is a shape of n axes of size 1.
func make1s(n int) []int {
	shape := make([]int, n)
	for i := range shape {
		shape[i] = 1
	}
	return shape
}

// NumPy reads what Save writes, and what NumPy writes is read, where there is a NumPy.
func TestArraysByNumPy(t *testing.T) {
	python := findNumPy(t)
	dir := t.TempDir()
	dev := tensor.CPU()
	x := tensor.FromSlice(dev, []float32{1, -2, 0.1, 4, 5, 6}, 2, 3)
	codes := tensor.FromInts(dev, []int32{7, -1}, 2)
	if err := Save(filepath.Join(dir, "x.npy"), x); err != nil {
		t.Fatal(err)
	}
	arrays := map[string]*tensor.Tensor{"x": x, "codes": codes, "a/b": tensor.Full(dev, 3)}
	if err := SaveZip(filepath.Join(dir, "stored.npz"), arrays); err != nil {
		t.Fatal(err)
	}
	if err := SaveZipCompressed(filepath.Join(dir, "deflated.npz"), arrays); err != nil {
		t.Fatal(err)
	}
	got := python(`import sys, os, numpy as np
os.chdir(sys.argv[1])
x = np.load("x.npy", allow_pickle=False)
print(x.dtype, x.tolist())
for name in "stored.npz", "deflated.npz":
    with np.load(name, allow_pickle=False) as z:
        print(sorted(z.files), z["codes"].dtype, z["codes"].tolist(), z["a/b"].shape, np.array_equal(z["x"], x))
for t in "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8".split():
    for order in "<>":
        np.save(order.replace("<", "little-").replace(">", "big-") + t + ".npy", np.arange(6).reshape(2, 3).astype(order + t))
np.save("fortran.npy", np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
np.save("bool.npy", np.array([True, False]))
np.savez("some.npz", np.zeros(3), y=np.ones((2, 2), dtype=">i8"))
np.savez_compressed("packed.npz", mask=np.zeros((300, 300), dtype=bool))
`, dir)
	want := "float32 [[1.0, -2.0, 0.10000000149011612], [4.0, 5.0, 6.0]]\n" +
		"['a/b', 'codes', 'x'] int32 [7, -1] () True\n['a/b', 'codes', 'x'] int32 [7, -1] () True\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, order := range []string{"little-", "big-"} {
		for kind := range dtypes {
			if kind == "b1" {
				continue
			}
			y, err := Load(dev, filepath.Join(dir, order+kind+".npy"))
			if err != nil || y.String() != "[[0 1 2]\n [3 4 5]]" {
				t.Errorf("%s%s: %v, %v", order, kind, y, err)
			}
		}
	}
	fortran, err := Load(dev, filepath.Join(dir, "fortran.npy"))
	if err != nil || fortran.Slice(0, 1, 2).Slice(1, 2, 3).Slice(2, 3, 4).Item() != 23 || fortran.Slice(0, 0, 1).Slice(1, 1, 2).Slice(2, 0, 1).Item() != 4 {
		t.Errorf("Fortran order: %v, %v", fortran, err)
	}
	if flags, err := Load(dev, filepath.Join(dir, "bool.npy")); err != nil || flags.String() != "[1 0]" {
		t.Errorf("bool: %v, %v", flags, err)
	}
	some, err := LoadZip(dev, filepath.Join(dir, "some.npz"))
	if err != nil || len(some) != 2 || some["arr_0"].String() != "[0 0 0]" || some["y"].String() != "[[1 1]\n [1 1]]" {
		t.Errorf("savez: %v, %v", some, err)
	}
	packed, err := LoadZip(dev, filepath.Join(dir, "packed.npz"))
	if err != nil || packed["mask"].Size() != 90000 {
		t.Errorf("savez_compressed: %v, %v", packed, err)
	}
}
