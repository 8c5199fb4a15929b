package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn/state/regular"
)

// inParts writes files of tensors and the index of them, which says where each is.
func inParts(t *testing.T, index string, parts map[string][]Named) (dir string) {
	t.Helper()
	dir = t.TempDir()
	where := map[string]string{}
	for name, tensors := range parts {
		b := mustWrite(t, nil, tensors...)
		if strings.HasSuffix(name, ".bin") {
			var err error
			if b, err = torchBytes(tensors); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
		for _, n := range tensors {
			where[n.Name] = name
		}
	}
	writeIndex(t, filepath.Join(dir, index), map[string]any{"metadata": map[string]int{"total_size": 12}, "weight_map": where})
	return dir
}

func torchBytes(tensors []Named) ([]byte, error) {
	var b strings.Builder
	err := WriteTorch(&b, "", tensors)
	return []byte(b.String()), err
}

func writeIndex(t *testing.T, path string, index any) {
	t.Helper()
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o666); err != nil {
		t.Fatal(err)
	}
}

// A model in several files is one, by its index or its folder, of either format.
func TestParts(t *testing.T) {
	first := []Named{{Name: "a", DType: F32, Shape: []int{2}, Float32s: []float32{1, 2}}, {Name: "b", DType: I64, Shape: []int{1}, Raw: []byte{7, 0, 0, 0, 0, 0, 0, 0}}}
	second := []Named{{Name: "c", DType: F32, Shape: []int{1}, Float32s: []float32{3}}, {Name: "d", DType: F32, Shape: []int{0}}}
	for index, end := range map[string]string{"model.safetensors" + indexEnd: ".safetensors", "pytorch_model.bin" + indexEnd: ".bin"} {
		dir := inParts(t, index, map[string][]Named{"x-00001-of-00002" + end: first, "x-00002-of-00002" + end: second})
		for _, path := range []string{dir, filepath.Join(dir, index)} {
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Names(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
				t.Errorf("%s: names %v", path, got)
			}
			for name, want := range map[string][]float32{"a": {1, 2}, "b": {7}, "c": {3}, "d": {}} {
				var r TensorReader
				err := r.Float32s(f, name, func(v []float32) error {
					if !slices.Equal(v, want) {
						t.Errorf("%s: %s is %v", path, name, v)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			if f.Checked() || f.Verify() != nil {
				t.Error("has a checksum")
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// Weights of any name may be links in their folder; those that lead nowhere, or to a folder, are none.
func TestLinkedWeights(t *testing.T) {
	one := []Named{{Name: "a", DType: F32, Shape: []int{1}, Float32s: []float32{1}}}
	const index, file = "other" + indexEnd, "x.safetensors"
	blobs := inParts(t, index, map[string][]Named{file: one})
	for _, links := range [][]string{{file}, {file, index}} {
		dir := t.TempDir()
		for name, to := range map[string]string{"y.pth": filepath.Join(blobs, "gone"), "z.bin": blobs} {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
		}
		for _, name := range links {
			if err := os.Symlink(filepath.Join(blobs, name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Skip("symbolic links are not followed: ", err)
		}
		f, err := Open(dir)
		if err != nil {
			t.Errorf("%q: %v", links, err)
			continue
		}
		if want := filepath.Join(dir, links[len(links)-1]); f.Name() != want {
			t.Errorf("opened %s, want %s", f.Name(), want)
		}
		f.Close()
	}
}

// A key is the beginning of names in the files of an index together.
func TestKeyOfParts(t *testing.T) {
	one := func(name string, value float32) []Named {
		return []Named{{Name: name, DType: F32, Shape: []int{1}, Float32s: []float32{value}}}
	}
	for index, end := range map[string]string{"model.safetensors" + indexEnd: ".safetensors", "pytorch_model.bin" + indexEnd: ".bin"} {
		dir := inParts(t, index, map[string][]Named{"x" + end: one("teacher.a.w", 1), "y" + end: one("student.a.w", 2), "z" + end: one("student.b.w", 3)})
		for _, path := range []string{dir, filepath.Join(dir, index)} {
			f, err := Options{Key: "student"}.Open(path)
			if err != nil {
				t.Error(err)
				continue
			}
			if got := f.Names(); !slices.Equal(got, []string{"a.w", "b.w"}) {
				t.Errorf("%s: names %q", path, got)
			}
			if v, err := f.Float32s("b.w"); err != nil || !slices.Equal(v, []float32{3}) {
				t.Errorf("%s: %v %v", path, v, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if _, err := (Options{Key: "stud"}).Open(path); err == nil || !strings.Contains(err.Error(), `begins with "stud."`) {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
}

// What is wrong with an index or a folder is told by the names of file and tensor.
func TestWrongParts(t *testing.T) {
	one := []Named{{Name: "a", DType: F32, Shape: []int{1}, Float32s: []float32{1}}}
	const index = "model.safetensors" + indexEnd
	for name, c := range map[string]struct {
		where map[string]string
		want  string
	}{
		"missing file":    {map[string]string{"a": "x.safetensors", "b": "y.safetensors"}, `"y.safetensors", which the index names, is missing`},
		"missing tensor":  {map[string]string{"a": "x.safetensors", "b": "x.safetensors"}, `tensor "b" is not in x.safetensors`},
		"another folder":  {map[string]string{"a": "../x.safetensors"}, "is no name of a file beside it"},
		"absolute":        {map[string]string{"a": "/etc/passwd"}, "is no name of a file beside it"},
		"itself":          {map[string]string{"a": index}, "JSON text"},
		"nothing":         {nil, "no weight_map"},
		"name of control": {map[string]string{"a\x1b": "x.safetensors"}, "control characters"},
	} {
		dir := inParts(t, index, map[string][]Named{"x.safetensors": one})
		writeIndex(t, filepath.Join(dir, index), map[string]any{"weight_map": c.where})
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := inParts(t, "other"+indexEnd, map[string][]Named{"x.safetensors": one})
	f, err := Open(dir) // the only index
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := os.Remove(filepath.Join(dir, "other"+indexEnd)); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(dir); err != nil { // the only file
		t.Fatal(err)
	}
	f.Close()
	if err := os.WriteFile(filepath.Join(dir, "y.pth"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "name one of x.safetensors, y.pth") {
		t.Errorf("two files: %v", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNoWeights) {
		t.Errorf("an empty folder: %v", err)
	}
	path := filepath.Join(t.TempDir(), index)
	for text, want := range map[string]string{
		"version https://git-lfs.github.com/spec/v1\n": "git lfs pull", "{": "the index: unexpected end", "[]": "neither a safetensors file",
		`{"weight_map": [1]}`: "the index: json",
	} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Of the files of an index those that have a checksum are verified.
func TestVerifiedParts(t *testing.T) {
	tensor := func(name string) Named {
		return Named{Name: name, DType: F32, Shape: []int{2}, Float32s: []float32{1, 2}}
	}
	const index, checked, other = "model.safetensors" + indexEnd, "y.safetensors", "x.safetensors"
	dir := inParts(t, index, map[string][]Named{other: {tensor("a")}, checked: {tensor("b")}})
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	open := func(all bool) {
		t.Helper()
		f, err := OpenVerified(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if f.Checked() != all {
			t.Errorf("checked is %v", f.Checked())
		}
	}
	good := mustWriteChecked(t, nil, tensor("b"))
	write(checked, good)
	open(false)
	damaged := bytes.Clone(good)
	damaged[len(damaged)-1] ^= 1
	write(checked, damaged)
	f, err := OpenVerified(dir)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.Join(dir, checked)) {
		t.Errorf("opened %v: %v", f, err)
	}
	write(checked, good)
	write(other, mustWriteChecked(t, nil, tensor("a")))
	open(true)
}

// An index that is too long, or none, is told by its path, once.
func TestIndexIsNoFile(t *testing.T) {
	dir := t.TempDir()
	long, folder := filepath.Join(dir, "long"+indexEnd), filepath.Join(dir, "folder"+indexEnd)
	if err := errors.Join(os.WriteFile(long, nil, 0o666), os.Truncate(long, maxIndex+1), os.Mkdir(folder, 0o777)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]error{long: regular.ErrTooLong, filepath.Join(dir, "gone"+indexEnd): fs.ErrNotExist} {
		if _, err := Open(path); !errors.Is(err, want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := openParts(folder, ""); !errors.Is(err, regular.ErrNotRegular) || strings.Count(err.Error(), folder) != 1 {
		t.Errorf("a folder: %v", err)
	}
}

func FuzzParseIndex(f *testing.F) {
	for _, s := range []string{`{"weight_map":{"a":"x.safetensors"}}`, `{"weight_map":{"a":"../x"}}`, `{"metadata":{}}`, `[]`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		where, err := parseIndex(text)
		if err != nil {
			return
		}
		for name, file := range where {
			if strings.ContainsAny(file, `/`) || file == ".." || len(name) > maxName {
				t.Errorf("%q in %q", name, file)
			}
		}
	})
}
