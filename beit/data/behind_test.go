package data

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Through subsets, joins and caches, the file behind an image is found, in a folder and in an archive.
func TestFileOf(t *testing.T) {
	dir, when := t.TempDir(), time.Unix(1e9, 0)
	content := []byte("P6 2 1 255 abcdef")
	if err := os.WriteFile(filepath.Join(dir, "a b.ppm"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "a b.ppm"), when, when); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "c.ppm", Size: int64(len(content)), ModTime: when, Mode: 0o644}); err != nil {
		t.Fatal(err)
	}
	w.Write(content)
	w.Close()
	archive := filepath.Join(t.TempDir(), "x.tar")
	if err := os.WriteFile(archive, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := OpenAll([]string{dir, archive}, func(name string) (*Source, error) { return Open(name, DefaultLimits) })
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ds := Cached(Subset(src.Train, []int{1, 0}), 1<<20)
	for i, want := range []string{"", filepath.Join(dir, "a b.ppm")} {
		file, ok := FileOf(ds, i)
		if !ok || file.OnDisk() != want {
			t.Errorf("image %d: %+v, on disk %q, want %q", i, file, file.OnDisk(), want)
			continue
		}
		if info, err := file.Info(); err != nil || info.Size() != int64(len(content)) || !info.ModTime().Equal(when) {
			t.Errorf("image %d: %v, %v", i, info, err)
		}
	}
	if _, ok := FileOf(Procedural(1, 16, 1), 0); ok {
		t.Error("a synthetic image has a file")
	}
}

// An image that its dataset does not turn is turned for people.
func TestTransposed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(name, turnedPNG(t), 0o666); err != nil {
		t.Fatal(err)
	}
	src, err := Open(name, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	as, err := Decoded(src.Train, 0)
	if err != nil {
		t.Fatal(err)
	}
	turned, err := Transposed(src.Train, 0)
	if err != nil || as.W != 6 || turned.W != 4 || turned.H != 6 {
		t.Errorf("%d x %d became %d x %d, %v", as.W, as.H, turned.W, turned.H, err)
	}
	if m, err := Transposed(Procedural(1, 16, 1), 0); err != nil || m.W != 16 {
		t.Errorf("a synthetic image: %v", err)
	}
}
