package npy

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// FuzzLoad reads any bytes as an array. What is read is written, and read again as the same.
func FuzzLoad(f *testing.F) {
	f.Add(file(dict("|u1", "True", "(2, 3)"), 1, 2, 3, 4, 5, 6))
	f.Add(file(dict(">f4", "False", "()"), 0x3f, 0x80, 0, 0))
	f.Add(file(dict("<i8", "False", "(0, 7L)")))
	f.Add([]byte(magic + "\x02\x00\x02\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		x, err := load(content)
		if err != nil {
			return
		}
		again(t, x)
	})
}

// FuzzLoadZip reads any bytes as an archive.
func FuzzLoadZip(f *testing.F) {
	array := string(file(dict("|u1", "True", "(2, 3)"), 1, 2, 3, 4, 5, 6))
	f.Add(archive(f, zip.Store, [2]string{"a.npy", array}, [2]string{"b.npy", array}))
	f.Add(archive(f, zip.Deflate, [2]string{"a.npy", array}))
	f.Fuzz(func(t *testing.T, content []byte) {
		arrays, err := loadZip(content)
		if err != nil {
			return
		}
		for _, x := range arrays {
			again(t, x)
		}
	})
}

// again writes an array, reads it, and releases both.
func again(t *testing.T, x *tensor.Tensor) {
	var b bytes.Buffer
	if err := write(&b, x); err != nil {
		t.Fatal(err)
	}
	y, err := load(b.Bytes())
	if err != nil || y.DType() != x.DType() || !y.Shape().Equal(x.Shape()) || y.String() != x.String() {
		t.Errorf("%v %v became %v, %v", x.DType(), x.Shape(), y, err)
	}
	x.Release()
	if y != nil {
		y.Release()
	}
}
