package state

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that holds no weights says what it is, and what to do.
func TestNoWeights(t *testing.T) {
	for name, c := range map[string]struct{ head, want string }{
		"Git LFS":            {"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "this is a Git LFS pointer, not a file of weights that is read here: the file itself was not fetched; run git lfs pull"},
		"page":               {"<!DOCTYPE html><html>", "an HTML page"},
		"gzip":               {"\x1f\x8b\x08\x00", "gunzip"},
		"xz":                 {"\xfd7zXZ\x00", "unxz"},
		"tar":                {strings.Repeat("\x00", 257) + "ustar", "tar -xf"},
		"HEIC":               {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a HEIC image"},
		"JPEG":               {"\xff\xd8\xff\xe0", "a JPEG image"},
		"NumPy":              {"\x93NUMPY\x01\x00", "a NumPy array"},
		"HDF5":               {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
		"zeros":              {strings.Repeat("\x00", 100), "nothing but zeros"},
		"GGUF":               {"GGUF\x03\x00\x00\x00", "a GGUF file"},
		"empty":              {"", "the file is empty"},
		"JSON":               {`{"model_type": "beit"}`, "name the weights beside it"},
		"plain pickle":       {"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}\x94.", "load it in Python"},
		"text":               {"hello, this is a text", "neither a safetensors file nor one that torch.save wrote"},
		"zip of other files": {string(onlyFile(t, "x/model.txt", 0)), "unpack it with unzip"},
	} {
		_, err := openBytes(t, []byte(c.head))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A whole module is no weights; the message names its class and what to save in its place. Beside weights it does no harm.
func TestWholeModule(t *testing.T) {
	files := fieldFiles(t, "modules.tar.bz2")
	if len(files) < 6 {
		t.Errorf("there are %d files", len(files))
	}
	for name, b := range files {
		_, err := openBytes(t, b)
		if err == nil {
			t.Errorf("%s: was opened", name)
			continue
		}
		for _, want := range []string{"holds a whole module, of class", "my_project.models.Net", "save its state_dict()"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", name, err, want)
			}
		}
		if under, ok := strings.CutPrefix(name, "under "); ok && !strings.Contains(err.Error(), `under "`+strings.Fields(under)[0]+`"`) {
			t.Errorf("%s: %v does not say where", name, err)
		}
	}
}

// Tensors that cannot be read are missed by name alone.
func TestOddTensors(t *testing.T) {
	six := map[string][]byte{"0": make([]byte, 24)}
	call := func(module, name string) string { return "c" + module + "\n" + name + "\n)R" }
	f, err := openBytes(t, torchZip(t, program(dictOf(text("a.w"), tensorOf(6, 0, []int{6}, []int{1}), text("a.sparse"), call("torch._utils", "_rebuild_sparse_tensor"),
		text("a.meta"), call("torch._utils", "_rebuild_meta_tensor_no_storage"))), six))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32s("a.w"); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"a.sparse": `tensor "a.sparse": a sparse tensor cannot be read as float32`, "a.meta": "a meta tensor"} {
		if _, err := f.Float32s(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
		if _, err := f.Bytes(name); err == nil || !strings.Contains(err.Error(), "cannot be read") {
			t.Errorf("%v", err)
		}
		if _, err := f.Reader(name); err == nil {
			t.Error("there is a reader")
		}
		if e, _ := f.Entry(name); e.Readable() {
			t.Errorf("%+v", e)
		}
	}
}

// The class of a storage or of elements that is not known is quoted and cut: it comes from the file.
func TestStrangeClasses(t *testing.T) {
	class := func(name string) string { return "ctorch\n" + name + "\n" }
	tensor := func(storage, call, dtype string) string {
		id := tuple(text("storage"), class(storage), text("0"), text("cpu"), number(6)) + "Q"
		return "ctorch._utils\n" + call + "\n" + tuple(id, number(0), tuple(number(6)), tuple(number(1)), "\x89", "}", dtype) + "R"
	}
	const strange, cut = "a\x1b[31m", 120
	long := strings.Repeat("x", 1000)
	for name, c := range map[string]struct{ storage, call, dtype, want string }{
		"storage":      {strange, "_rebuild_tensor_v2", "N", `a tensor of type "a\x1b[31m"`},
		"long storage": {long, "_rebuild_tensor_v2", "N", `a tensor of type "` + long[:cut] + `"...`},
		"dtype":        {"UntypedStorage", "_rebuild_tensor_v3", class(strange), `a tensor of type "a\x1b[31m"`},
		"long dtype":   {"UntypedStorage", "_rebuild_tensor_v3", class(long), `a tensor of type "` + long[:cut] + `"...`},
		"no dtype":     {"UntypedStorage", "_rebuild_tensor_v3", "N", `a tensor of type ""`},
	} {
		value := dictOf(text("a.w"), tensor(c.storage, c.call, c.dtype))
		f, err := openBytes(t, torchZip(t, program(value), map[string][]byte{"0": make([]byte, 24)}))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e, ok := f.Entry("a.w"); !ok || string(e.DType) != c.want || e.Readable() {
			t.Errorf("%s: is %q, want %q", name, e.DType, c.want)
		}
		if _, err := f.Float32s("a.w"); err == nil || !strings.Contains(err.Error(), c.want+" cannot be read") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Several dicts of equal right are listed, not guessed among.
func TestSeveralModels(t *testing.T) {
	whole := dictOf(text("a.w"), tensorOf(6, 0, []int{6}, []int{1}))
	value := dictOf(text("net_g"), whole, text("net_d"), whole)
	b := torchZip(t, program(value), map[string][]byte{"0": make([]byte, 24)})
	_, err := openBytes(t, b)
	if err == nil || !strings.Contains(err.Error(), `(--key) of "net_g" (1 tensors), "net_d" (1 tensors)`) {
		t.Errorf("%v", err)
	}
	path := filepath.Join(t.TempDir(), "x.pth")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := Options{Key: "net_d"}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Metadata(); got[MetaContainer] != "net_d" || got[MetaLeftOut] != "net_g" {
		t.Errorf("%v", got)
	}
}
