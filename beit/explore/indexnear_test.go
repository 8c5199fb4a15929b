package explore

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/infer"
)

func TestIndexNearest(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "x.tar")
	if err := os.WriteFile(archive, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	key, err := IndexKey("abc", true, []string{dir, archive, filepath.Join(dir, "gone")})
	if err != nil {
		t.Fatal(err)
	}
	x := NewIndex(key)
	if got := x.Nearest(infer.Features{Mean: []float32{1, 0}}, 3); got != nil {
		t.Errorf("of an empty index: %v", got)
	}
	for name, v := range map[string][]float32{"b": {2, 0}, "a": {5, 0}, "c": {3, 3}, "d": {0, -1}, "zero": {0, 0}, "of another model": {1, 0, 0}} {
		x.Put(Stamp{Name: name}, infer.Features{CLS: v, Mean: v})
	}
	want := []Near{{"a", 1}, {"b", 1}, {"c", 0.70710677}, {"d", 0}, {"zero", 0}}
	for k := range 7 {
		if got := x.Nearest(infer.Features{Mean: []float32{4, 0}}, k); !slices.Equal(got, want[:min(k, 5)]) {
			t.Errorf("the %d nearest are %v", k, got)
		}
	}
	path := filepath.Join(dir, "x.index")
	if _, err := OpenIndex(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing index: %v", err)
	}
	delete(x.rows, "of another model") // which no index has beside others
	x.Put(Stamp{Name: "infinite"}, infer.Features{CLS: []float32{1, 0}, Mean: []float32{float32(math.Inf(1)), 0}})
	if err := x.Write(path); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenIndex(path); !errors.Is(err, ErrNotFinite) {
		t.Errorf("features that are not finite: %v", err)
	}
	delete(x.rows, "infinite")
	if err := x.Write(path); err != nil {
		t.Fatal(err)
	}
	read, err := OpenIndex(path)
	if err != nil {
		t.Fatal(err)
	}
	if !read.IsOf("abc") || read.IsOf("ab") || read.IsOf("") || !slices.Equal(read.Folders(), []string{dir}) {
		t.Errorf("its key %q: folders %v", read.key, read.Folders())
	}
}
