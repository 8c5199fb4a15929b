package state

import (
	"archive/tar"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fieldFiles are the files in an archive that testdata/torch/make.py wrote.
func fieldFiles(t testing.TB, archive string) map[string][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "torch", archive))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := map[string][]byte{}
	for r := tar.NewReader(bzip2.NewReader(f)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// wantBase compares a file with the tensors that make.py saved.
func wantBase(t *testing.T, f *File) {
	t.Helper()
	for name, want := range map[string][]float32{
		"blocks.0.weight": {0, 1, 2, 3, 4, 5}, "blocks.0.bias": {-1, 2}, "blocks.0.index": {1, -2, 3, 4}, "head.half": {0.5, -0.25},
	} {
		got, err := f.Float32s(name)
		if err != nil {
			t.Error(err)
		} else if !slices.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]Entry{
		"blocks.0.weight": {DType: F32, Shape: []int{2, 3}}, "blocks.0.bias": {DType: F32, Shape: []int{2}}, "blocks.0.index": {DType: I64, Shape: []int{2, 2}},
		"head.half": {DType: F16, Shape: []int{2}},
	} {
		if e, _ := f.Entry(name); e.DType != want.DType || !slices.Equal(e.Shape, want.Shape) {
			t.Errorf("%s is %s %v", name, e.DType, e.Shape)
		}
	}
}

// Whatever lies beside the weights, they are read, and nothing else is taken for one of them.
func TestWhatLiesBeside(t *testing.T) {
	files := fieldFiles(t, "objects.tar.bz2")
	if len(files) < 300 {
		t.Errorf("there are %d files", len(files))
	}
	for _, name := range sortedKeys(files) {
		f, err := openBytes(t, files[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Run(name, func(t *testing.T) { wantBase(t, f) })
		if diff := cmp.Diff([]string{"blocks.0.bias", "blocks.0.index", "blocks.0.weight", "head.half"}, f.Names()); diff != "" {
			t.Errorf("%s: names: %s", name, diff)
		}
		if got := f.Metadata()[MetaContainer]; got != "model" {
			t.Errorf("%s: taken from %q", name, got)
		}
	}
}

// Every layout, container and form of tensor gives the same weights.
func TestLayouts(t *testing.T) {
	files := fieldFiles(t, "layouts.tar.bz2")
	for _, name := range sortedKeys(files) {
		f, err := openBytes(t, files[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		t.Run(name, func(t *testing.T) { wantBase(t, f) })
		key, under := strings.CutPrefix(name, "under ")
		if got := f.Metadata()[MetaContainer]; under && got != key {
			t.Errorf("%s: taken from %q", name, got)
		}
	}
}

// What stands among the tensors and is no tensor is left out by name, whatever holds it.
func TestLeftOutAmongTensors(t *testing.T) {
	whole := tensorOf(6, 0, []int{6}, []int{1})
	f, err := openBytes(t, torchZip(t, program(dictOf(text("a.w"), whole, text("a.dict"), "}", text("a.list"), "]", text("a.tuple"), tuple("N"), text("a.object"), "cm\nC\n)\x81",
		text("a.number"), number(1), text("a.text"), text("t"))), map[string][]byte{"0": make([]byte, 24)}))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Metadata()[MetaLeftOut]; got != "a.dict, a.list, a.tuple, a.object" {
		t.Errorf("left out are %q", got)
	}
	if got := f.Names(); !slices.Equal(got, []string{"a.w"}) {
		t.Errorf("names %q", got)
	}
}

// Names and colours of classes are noted, and nothing else of mmcv's dict. One list under many keys does not fill the memory.
func TestListsBeside(t *testing.T) {
	list := func(items ...string) string { return "](" + strings.Join(items, "") + "e" }
	long := list(slices.Repeat([]string{text("a name of a class")}, 1000)...) + "q\x07"
	meta := []string{text("CLASSES"), tuple(text("sky"), text("sea")), text("PALETTE"), list(list(number(1), number(2), number(3))), text("mixed"),
		list(text("a"), list(text("b"))), text("config"), text("model = …"), text("long 0"), long}
	for i := range 5000 {
		meta = append(meta, text(fmt.Sprint("long ", i+1)), "h\x07")
	}
	f, err := openBytes(t, torchZip(t, program(dictOf(text("state_dict"), dictOf(text("w"), tensorOf(6, 0, []int{6}, []int{1})), text("meta"), dictOf(meta...))),
		map[string][]byte{"0": make([]byte, 24)}))
	if err != nil {
		t.Fatal(err)
	}
	size := 0
	for key, value := range f.Metadata() {
		size += len(value)
		if strings.Contains(key, "mixed") || strings.Contains(key, "config") {
			t.Errorf("%s is noted", key)
		}
	}
	if size > 2*maxLists {
		t.Errorf("the metadata has %d bytes", size)
	}
	for key, want := range map[string]string{"CLASSES": `["sky","sea"]`, "PALETTE": "[[1,2,3]]"} {
		if got := f.Metadata()[MetaBeside+"meta."+key]; got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
}

// A dict that is not the one preferred is chosen by its key, at any depth; a key that leads to no tensors lists those that do.
func TestKey(t *testing.T) {
	files := fieldFiles(t, "layouts.tar.bz2")
	open := func(key, name string) (*File, error) {
		return Options{Key: key}.read(bytes.NewReader(files[name]), int64(len(files[name])), "x.pth")
	}
	f, err := open("model_ema", "model before its average")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Metadata(); len(f.Names()) != 3 || got[MetaContainer] != "model_ema" {
		t.Errorf("%v %v", f.Names(), got)
	}
	if f, err = open("", "model before its average"); err != nil || f.Metadata()[MetaOthers] != `"model_ema" (3 tensors)` {
		t.Errorf("%v %v", f.Metadata(), err)
	}
	for _, key := range []string{"ema", "ema.module"} {
		if f, err = open(key, "among attributes"); err != nil || f.Metadata()[MetaContainer] != "ema.module" {
			t.Errorf("%s: %v", key, err)
		}
	}
	_, err = open("teacher", "model before its average")
	if err == nil || !strings.Contains(err.Error(), `"model_ema" (3 tensors), "model" (4 tensors)`) {
		t.Errorf("%v", err)
	}
	// Without such a dict it is the beginning of names.
	if f, err = open("blocks.0", "under model"); err != nil || f.Metadata()[MetaContainer] != "model.blocks.0" {
		t.Fatal(err)
	}
	if got := f.Names(); !slices.Equal(got, []string{"bias", "index", "weight"}) {
		t.Errorf("names %q", got)
	}
	if v, err := f.Float32s("bias"); err != nil || !slices.Equal(v, []float32{-1, 2}) {
		t.Errorf("%v %v", v, err)
	}
}

// In a safetensors file a key is the beginning of names.
func TestKeyOfSafetensors(t *testing.T) {
	b := mustWrite(t, nil, Named{Name: "teacher.w", DType: F32, Shape: []int{1}, Float32s: []float32{1}}, Named{Name: "student.w", DType: F32, Shape: []int{1}, Float32s: []float32{2}})
	f, err := Options{Key: "student"}.read(bytes.NewReader(b), int64(len(b)), "x")
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Float32s("w"); err != nil || v[0] != 2 || len(f.Names()) != 1 {
		t.Errorf("%v %v %v", v, f.Names(), err)
	}
	if _, err := (Options{Key: "stud"}).read(bytes.NewReader(b), int64(len(b)), "x"); err == nil || !strings.Contains(err.Error(), `begins with "stud."`) {
		t.Errorf("%v", err)
	}
}
