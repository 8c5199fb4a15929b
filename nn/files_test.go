package nn_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// small is a built set of two parameters and a buffer.
func small(seed uint64) *nn.Set {
	set := nn.NewSet()
	nn.NewLinear(set.Scope().Sub("head"), 3, 2, nn.LibraryDefault)
	set.Scope().Buffer("usage", nn.Zeros, 4)
	set.Build(tensor.CPU(), seed, nn.Training)
	set.Lookup("usage").Value.Fill(float32(seed))
	return set
}

// bits are all values of a set, as they are stored.
func bits(set *nn.Set) (all []uint32) {
	for _, p := range set.Params() {
		for _, v := range p.Value.Float32s() {
			all = append(all, math.Float32bits(v))
		}
	}
	return all
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	from, to := small(1), small(2)
	from.Lookup("head.bias").Value.Upload([]float32{float32(math.NaN()), float32(math.Copysign(0, -1))})
	for range 2 { // the second replaces the first
		if err := from.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := to.Load(path); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(bits(from), bits(to)) {
		t.Errorf("loaded %v, saved %v", bits(to), bits(from))
	}
	f, err := state.OpenVerified(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := f.Names(); !f.Checked() || !slices.Equal(got, []string{"head.bias", "head.weight", "usage"}) {
		t.Errorf("the file has %v, a checksum: %t", got, f.Checked())
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

// What does not fit is named, with its file, and changes nothing.
func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	set := small(1)
	before := bits(set)
	write := func(name string, list ...state.Named) string {
		path := filepath.Join(dir, name)
		if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, nil, list) }); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := nn.Tensors(small(3).Params())
	part := func(name string, shape ...int) state.Named {
		return nn.Named(name, tensor.Zeros(tensor.CPU(), shape...))
	}
	damaged := filepath.Join(dir, "damaged.safetensors")
	if err := small(3).Save(damaged); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-9] ^= 4
	text, short := filepath.Join(dir, "notes.txt"), filepath.Join(dir, "short.safetensors")
	for path, b := range map[string][]byte{damaged: content, text: []byte("weights"), short: content[:len(content)-5]} {
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		write("missing.safetensors", other[1:]...):                                `1 missing ("head.weight")`,
		write("extra.safetensors", append(other[:3:3], part("mean", 2))...):       `1 unexpected ("mean")`,
		write("shape.safetensors", part("head.weight", 3, 2), other[1], other[2]): `1 of another shape ("head.weight": want [2 3], file has [3 2])`,
		damaged:                      "checksum does not match",
		text:                         "neither a safetensors file nor",
		short:                        "truncated",
		filepath.Join(dir, "absent"): "no such file",
	} {
		err := set.Load(path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with the path and %s", filepath.Base(path), err, want)
		}
	}
	if err := set.Load(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v does not wrap its cause", err)
	}
	if !slices.Equal(before, bits(set)) {
		t.Error("a file that does not fit changed the set")
	}
	if err := set.Save(filepath.Join(dir, "absent", "x.safetensors")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("saved in a folder that is not there: %v", err)
	}
	if err := set.Save(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("saved over a folder: %v", err)
	}
}

// Sets that are nil, zero or not built say so.
func TestSetsThatAreNotBuilt(t *testing.T) {
	var zero nn.Set
	zero.Release()
	nn.NewLinear(zero.Scope(), 2, 3, nn.LibraryDefault)
	if zero.Lookup("weight") == nil {
		t.Error("a Set{} takes no parameter")
	}
	for want, f := range map[string]func(){
		"tensor: Save: the set is nil or not built yet":                      func() { zero.Save("x") },
		"tensor: Load: the set is nil or not built yet":                      func() { (*nn.Set)(nil).Load("x") },
		"tensor: Build: the device is nil":                                   func() { zero.Build(nil, 1, nn.Training) },
		"tensor: Scope: parameter w is declared in a Scope{}: use Set.Scope": func() { nn.Scope{}.Param("w", nn.Ones, 2) },
		"tensor: Param: parameter weight is used before its set was built":   func() { nn.Tensors(zero.Params()) },
	} {
		func() {
			defer func() {
				if err, ok := recover().(*tensor.Error); !ok || err.Error() != want {
					t.Errorf("recovered %v, want %s", err, want)
				}
			}()
			f()
		}()
	}
}

// A network is saved, and loaded into another one of the same shape.
func ExampleSet_Save() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "head.safetensors")

	trained, fresh := nn.NewSet(), nn.NewSet()
	head := nn.NewLinear(trained.Scope().Sub("head"), 3, 2, nn.LibraryDefault)
	same := nn.NewLinear(fresh.Scope().Sub("head"), 3, 2, nn.LibraryDefault)
	trained.Build(tensor.CPU(), 1, nn.Training)
	fresh.Build(tensor.CPU(), 2, nn.Inference)
	head.B.Value.Fill(0.5)

	if err := trained.Save(path); err != nil {
		fmt.Println(err)
		return
	}
	if err := fresh.Load(path); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(same.B.Value)

	other := nn.NewSet()
	nn.NewLinear(other.Scope().Sub("head"), 3, 4, nn.LibraryDefault)
	other.Build(tensor.CPU(), 1, nn.Inference)
	err = other.Load(path)
	fmt.Println(strings.ReplaceAll(err.Error(), path, "head.safetensors"))
	// Output:
	// [0.5 0.5]
	// state: loading head.safetensors: tensors do not fit: 2 of another shape ("head.weight": want [4 3], file has [2 3], "head.bias": want [4], file has [2])
}
