// Package oracletest compares any device with the reference data in beit/testdata/oracle: numbers that the authors' implementation of
// BEiT v2 computed for tiny models. It is imported by tests only.
//
//	func TestOracle(t *testing.T) { oracletest.Run(t, tensor.CPU()) }
//
// The environment variable BEIT_ORACLE names another folder of the same form. Shapes and configs come from the files.
package oracletest

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Run checks a device against every file of the reference data that the engine covers, one subtest for each file and variant.
func Run(t *testing.T, dev *tensor.Device) {
	o := open(t)
	for _, f := range []struct {
		name string
		run  func(t *testing.T, f *file, dev *tensor.Device)
	}{
		{"ops.safetensors", runOps},
		{"vit_finetune.safetensors", runViT},
		{"vit_relpos_shared.safetensors", runViT},
		{"mim_cls_pt.safetensors", runMIM},
		{"vqkd.safetensors", runVQKD},
	} {
		t.Run(strings.TrimSuffix(f.name, ".safetensors"), func(t *testing.T) { f.run(t, o.file(t, f.name), dev) })
	}
}

// Schedule checks what schedule.json holds, where no device matters: learning-rate schedules, layer decay, parameter groups, rates of
// stochastic depth, and statistics of masks and of initial weights.
func Schedule(t *testing.T) { runSchedule(t, open(t)) }

// Dir is the folder of the reference data.
func Dir() string {
	if dir := os.Getenv("BEIT_ORACLE"); dir != "" {
		return dir
	}
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "testdata", "oracle")
}

// oracle is the folder with its manifest.
type oracle struct {
	dir   string
	files map[string]entry
}

type entry struct {
	Config  json.RawMessage     `json:"config"`
	Tensors map[string]expected `json:"tensors"`
}

// expected describes a tensor and how far from it a result may be.
type expected struct {
	Shape       []int    `json:"shape"`
	Role        string   `json:"role"`
	Compare     string   `json:"compare"`
	Atol        *float64 `json:"atol"`
	L2RelTol    *float64 `json:"l2_rel_tol"`
	UpdateL2Tol *float64 `json:"update_l2_rel_tol"`
}

func open(t *testing.T) oracle {
	t.Helper()
	o := oracle{dir: Dir()}
	var manifest struct {
		Files map[string]entry `json:"files"`
	}
	readJSON(t, filepath.Join(o.dir, "manifest.json"), &manifest)
	o.files = manifest.Files
	return o
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, to)
	}
	if err != nil {
		t.Fatalf("reference data: %v", err)
	}
}

// file is one safetensors file of the folder.
type file struct {
	*state.File
	entry
	checked map[string]bool // names that a comparison was made with
}

func (o oracle) file(t *testing.T, name string) *file {
	t.Helper()
	e, ok := o.files[name]
	if !ok {
		t.Fatalf("the manifest has no %s", name)
	}
	f, err := state.OpenSafetensors(filepath.Join(o.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &file{File: f, entry: e, checked: map[string]bool{}}
}

// config decodes the file's configuration.
func (f *file) config(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal(f.Config, to); err != nil {
		t.Fatal(err)
	}
}

func (f *file) has(name string) bool {
	_, ok := f.Tensors[name]
	return ok
}

// shape returns a tensor's shape.
func (f *file) shape(t *testing.T, name string) []int {
	t.Helper()
	e, ok := f.Tensors[name]
	if !ok {
		t.Fatalf("the manifest has no tensor %s", name)
	}
	return e.Shape
}

func (f *file) floats(t *testing.T, name string) []float32 {
	t.Helper()
	v, err := f.Float32s(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (f *file) ints(t *testing.T, name string) []int {
	t.Helper()
	v, err := f.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

func (f *file) int32s(t *testing.T, name string) []int32 {
	t.Helper()
	var out []int32
	for _, x := range f.ints(t, name) {
		out = append(out, int32(x))
	}
	return out
}

// tensor uploads an input.
func (f *file) tensor(t *testing.T, dev *tensor.Device, name string) *tensor.Tensor {
	t.Helper()
	return tensor.FromSlice(dev, f.floats(t, name), f.shape(t, name)...)
}

// part is element i of the first axis of an input that holds one value for each training step.
func (f *file) part(t *testing.T, dev *tensor.Device, name string, i int) *tensor.Tensor {
	t.Helper()
	shape := f.shape(t, name)
	n := tensor.Shape(shape[1:]).Size()
	return tensor.FromSlice(dev, f.floats(t, name)[i*n:(i+1)*n], shape[1:]...)
}

// names lists the tensors that begin with a prefix, sorted, without it.
func (f *file) names(prefix string) []string {
	var out []string
	for name := range f.Tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			out = append(out, rest)
		}
	}
	slices.Sort(out)
	return out
}

// equal compares floats with an expected tensor, by the largest difference and by the relative 2-norm of all.
func (f *file) equal(t *testing.T, name string, got []float32) {
	t.Helper()
	f.checked[name] = true
	e := f.Tensors[name]
	if e.Atol == nil || e.L2RelTol == nil {
		t.Errorf("%s: the manifest gives no tolerance", name)
		return
	}
	want := f.floats(t, name)
	worst, at, rel := distance(t, name, got, want)
	if !(worst <= *e.Atol) {
		t.Errorf("%s: element %d is %v, want %v: off by %.3g, allowed %.3g", name, at, got[at], want[at], worst, *e.Atol)
	}
	if !(rel <= *e.L2RelTol) {
		t.Errorf("%s: relative 2-norm of the error %.3g, allowed %.3g", name, rel, *e.L2RelTol)
	}
}

// equalTensor is equal with a check of the shape.
func (f *file) equalTensor(t *testing.T, name string, got *tensor.Tensor) {
	t.Helper()
	if got == nil {
		t.Errorf("%s: there is no such result", name)
		return
	}
	if want := f.shape(t, name); tensor.Shape(want).Size() != got.Size() {
		t.Errorf("%s: shape %v, want %v", name, got.Shape(), want)
		return
	}
	f.equal(t, name, got.Float32s())
}

// equalInts compares integers, which must be the same.
func (f *file) equalInts(t *testing.T, name string, got []int) {
	t.Helper()
	f.checked[name] = true
	if want := f.ints(t, name); !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

// distance returns the largest difference, where it is, and the 2-norm of all relative to want's.
func distance(t *testing.T, name string, got, want []float32) (worst float64, at int, rel float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", name, len(got), len(want))
	}
	var off, norm float64
	for i := range got {
		d := float64(got[i]) - float64(want[i])
		off += d * d
		norm += float64(want[i]) * float64(want[i])
		if d = math.Abs(d); !(d <= worst) {
			worst, at = d, i
		}
	}
	if off == 0 {
		return worst, at, 0
	}
	return worst, at, math.Sqrt(off / norm)
}

// load fills a set's parameters and buffers from the tensors under prefixes such as "relpos_mean/param/". Every parameter must be there.
func (f *file) load(t *testing.T, set *nn.Set, prefixes ...string) {
	t.Helper()
	for _, p := range set.Params() {
		found := false
		for _, prefix := range prefixes {
			if f.has(prefix + p.Name) {
				if want := f.shape(t, prefix+p.Name); !p.Shape.Equal(want) {
					t.Fatalf("%s: the model has shape %v, the file %v", p.Name, p.Shape, want)
				}
				p.Value.Upload(f.floats(t, prefix+p.Name))
				found = true
			}
		}
		if !found {
			t.Fatalf("%s: not in the file", p.Name)
		}
	}
	for _, name := range f.names(prefixes[0]) {
		if set.Lookup(name) == nil {
			t.Fatalf("%s: the model has no such parameter", name)
		}
	}
}

// gradients compares every parameter's gradient.
func (f *file) gradients(t *testing.T, set *nn.Set, prefix string) {
	t.Helper()
	for _, p := range set.Flat() {
		f.equal(t, prefix+p.Name, p.Grad.Float32s())
	}
}

// final compares the parameters after training steps: the relative 2-norm of the error of how far each moved.
func (f *file) final(t *testing.T, set *nn.Set, variant string) {
	t.Helper()
	for _, name := range f.names(variant + "/final/") {
		full := variant + "/final/" + name
		f.checked[full] = true
		p := set.Lookup(name)
		if p == nil {
			t.Errorf("%s: the model has no such parameter", full)
			continue
		}
		start, want, got := f.floats(t, variant+"/param/"+name), f.floats(t, full), p.Value.Float32s()
		var off, moved float64
		for i := range want {
			d, m := float64(got[i])-float64(want[i]), float64(want[i])-float64(start[i])
			off, moved = off+d*d, moved+m*m
		}
		limit := *f.Tensors[full].UpdateL2Tol
		if rel := math.Sqrt(off / moved); off > 0 && !(rel <= limit) {
			t.Errorf("%s: relative error of the update %.3g, allowed %.3g", full, rel, limit)
		}
	}
}

// complete fails for every expected tensor under prefix that nothing was compared with.
func (f *file) complete(t *testing.T, prefix string) {
	t.Helper()
	if t.Failed() {
		return
	}
	for _, name := range f.names(prefix) {
		if full := prefix + name; f.Tensors[full].Role == "expected" && !f.checked[full] {
			t.Errorf("%s: nothing was compared with it", full)
		}
	}
}
