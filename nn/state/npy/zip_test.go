package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// archive is a zip file of the members given, by name, each compressed by a method.
func archive(t testing.TB, method uint16, members ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m[0], Method: method})
		if err == nil {
			_, err = w.Write([]byte(m[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// loadZip reads the bytes of a .npz file.
func loadZip(content []byte) (map[string]*tensor.Tensor, error) {
	return readZip(tensor.CPU(), bytes.NewReader(content), int64(len(content)), memoryLimit(int64(len(content))))
}

func TestSaveAndLoadZip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	dev := tensor.CPU()
	arrays := map[string]*tensor.Tensor{
		"x": tensor.FromSlice(dev, []float32{1, 2, 3, 4}, 2, 2), "codes": tensor.FromInts(dev, []int32{7, -1}, 2), "große/0": tensor.Full(dev, 3),
		"zeros": tensor.Zeros(dev, 100, 1000),
	}
	var sizes []int
	for _, save := range []func(string, map[string]*tensor.Tensor) error{SaveZip, SaveZipCompressed} {
		if err := save(path, arrays); err != nil {
			t.Fatal(err)
		}
		first := content(t, path)
		if err := save(path, maps.Clone(arrays)); err != nil || !bytes.Equal(first, content(t, path)) {
			t.Errorf("other bytes the second time, %v", err)
		}
		sizes = append(sizes, len(first))
		got, err := LoadZip(dev, path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(arrays)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Fatal(diff)
		}
		for name, x := range arrays {
			if y := got[name]; y.DType() != x.DType() || !y.Shape().Equal(x.Shape()) || y.String() != x.String() {
				t.Errorf("%s: %v %v\n%v", name, y.DType(), y.Shape(), y)
			}
		}
	}
	if sizes[1]*10 > sizes[0] {
		t.Errorf("%d bytes, compressed %d", sizes[0], sizes[1])
	}
	for _, name := range []string{"", "a\nb", "\xff"} {
		if err := SaveZip(path, map[string]*tensor.Tensor{name: arrays["x"]}); err == nil || !strings.Contains(err.Error(), "cannot be the name") {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

// Hostile and damaged archives give an error of one line, and leave no memory in use.
func TestZipErrors(t *testing.T) {
	good := string(file(dict("|u1", "False", "(6,)"), 1, 2, 3, 4, 5, 6))
	plain := archive(t, zip.Store, [2]string{"a.npy", good}, [2]string{"b.npy", good})
	flip := func(at int, b byte) []byte {
		c := bytes.Clone(plain)
		c[at] ^= b
		return c
	}
	// claim changes what the directory says of a compressed member: its size.
	claim := func(size uint32) []byte {
		c := archive(t, zip.Deflate, [2]string{"a.npy", good})
		at := bytes.LastIndex(c, []byte("PK\x01\x02"))
		binary.LittleEndian.PutUint32(c[at+24:], size)
		return c
	}
	dev := tensor.NewDevice(tensor.CPU().Backend()) // a pool of its own
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":            {nil, "not an archive of arrays"},
		"an array":         {[]byte(good), "not an archive of arrays"},
		"another member":   {archive(t, zip.Store, [2]string{"a.npy", good}, [2]string{"x.json", "{}"}), `"x.json" is not an array`},
		"a name twice":     {archive(t, zip.Store, [2]string{"a.npy", good}, [2]string{"a.npy", good}), `two arrays are named "a"`},
		"a bad array":      {archive(t, zip.Store, [2]string{"a.npy", good}, [2]string{"b.npy", good[:20]}), `array "b": a header of`},
		"a long name":      {archive(t, zip.Store, [2]string{strings.Repeat("x", 9000) + ".npy", "?"}), "not an array of NumPy"},
		"checksum":         {flip(bytes.Index(plain, []byte("\x01\x02\x03\x04\x05\x06")), 1), `array "a": zip: checksum error`},
		"cut short":        {plain[:len(plain)-30], "not an archive of arrays"},
		"impossible size":  {claim(4 << 20), "cannot be in a file of"},
		"a size of others": {claim(1000), "takes 6 bytes, and there are"},
	} {
		_, err := readZip(dev, bytes.NewReader(c.content), int64(len(c.content)), math.MaxInt64)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%s: error %v, want one line with %s", name, err, c.want)
		}
	}
	if n := dev.MemStats().InUse; n != 0 {
		t.Errorf("%d bytes stay in use", n)
	}
	// Of members of 4000 bytes, as Int32, two fit into a limit of 8192.
	zeros := string(file(dict("|u1", "False", "(1000,)"), make([]byte, 1000)...))
	bomb := archive(t, zip.Deflate, [2]string{"a.npy", zeros}, [2]string{"b.npy", zeros}, [2]string{"c.npy", zeros})
	for limit, want := range map[int64]string{12000: "", 8192: `array "c": U8 [1000] takes more memory than the 192 bytes that are left to it`} {
		_, err := readZip(dev, bytes.NewReader(bomb), int64(len(bomb)), limit)
		if (want == "") != (err == nil) || err != nil && err.Error() != want {
			t.Errorf("%d bytes: error %v, want %q", limit, err, want)
		}
	}
	for size, want := range map[int64]int64{100: 256 << 20, 1 << 30: 100 << 30, math.MaxInt64: math.MaxInt64} {
		if got := memoryLimit(size); got != want {
			t.Errorf("a file of %d bytes may take %d, want %d", size, got, want)
		}
	}
}
