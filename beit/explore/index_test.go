package explore

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/nn/state"
)

func TestIndexKeepsFeatures(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.index")
	x, err := ReadIndex(path, "model")
	if err != nil {
		t.Fatal(err)
	}
	stamp := Stamp{Name: "a\xff.png", Size: 5, Time: 1 << 60}
	if _, ok := x.Get(stamp); ok {
		t.Error("a new index has an entry")
	}
	x.Put(stamp, infer.Features{CLS: []float32{1, 2}, Mean: []float32{3, 4}})
	x.Put(Stamp{Name: "b"}, infer.Features{CLS: []float32{5, 6}, Mean: []float32{7, 8}})
	if err := x.Write(path); err != nil {
		t.Fatal(err)
	}
	if x, err = ReadIndex(path, "model"); err != nil {
		t.Fatal(err)
	}
	f, ok := x.Get(stamp)
	if !ok || !slices.Equal(f.CLS, []float32{1, 2}) || !slices.Equal(f.Mean, []float32{3, 4}) {
		t.Errorf("%+v, %v", f, ok)
	}
	for _, changed := range []Stamp{{stamp.Name, 6, stamp.Time}, {stamp.Name, stamp.Size, 0}, {"c", 5, 1 << 60}} {
		if _, ok := x.Get(changed); ok {
			t.Errorf("%+v is in the index", changed)
		}
	}
	if _, err := ReadIndex(path, "other"); !errors.Is(err, ErrOtherIndex) {
		t.Errorf("of another model: %v", err)
	}
	if err := NewIndex("model").Write(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadIndex(path, "model"); err != nil {
		t.Errorf("an empty index: %v", err)
	}
}

// A damaged bit anywhere, a file cut short and another file are errors, and nothing of them is used.
func TestDamagedIndex(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.index")
	x := NewIndex("model")
	x.Put(Stamp{Name: "a"}, infer.Features{CLS: []float32{1}, Mean: []float32{2}})
	if err := x.Write(path); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := slices.Clone(good)
		bad[i] ^= 4
		if err := os.WriteFile(path, bad, 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadIndex(path, "model"); err == nil {
			t.Fatalf("byte %d is damaged, and no error", i)
		}
	}
	if err := os.WriteFile(path, good[:len(good)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadIndex(path, "model"); err == nil {
		t.Error("half an index gives no error")
	}
	err = state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteChecked(w, nil, nil) })
	if _, other := ReadIndex(path, "model"); err != nil || other == nil {
		t.Errorf("another file: %v, %v", err, other)
	}
}
