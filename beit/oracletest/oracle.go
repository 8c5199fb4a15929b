// Package oracletest compares any device with the reference data in beit/testdata/oracle: numbers that the authors' implementation of
// BEiT v2 computed for tiny models. It is imported by tests only.
//
//	func TestOracle(t *testing.T) { oracletest.Run(t, tensor.CPU()) }
//
// The environment variable BEIT_ORACLE names another folder of the same form, absolute or from the module's root:
//
//	BEIT_ORACLE=../other go test -count=1 -run Oracle ./...
//
// Shapes, settings, and the names of files, variants and operations come from the files, so that the other set may have different ones.
// What it has beyond the checks here is skipped by name; a file of which nothing could be checked is a failure.
package oracletest

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// kind is a sort of file, known by how its name begins, and its check.
type kind struct {
	prefix string
	run    func(t *testing.T, f *file, dev *tensor.Device)
}

var kinds = []kind{
	{"ops", runOps}, {"vit_", runViT}, {"mim_", runMIM}, {"vqkd", runVQKD}, {"teacher_clip", runCLIP}, {"teacher_dino", runDINO},
	{"pos_interp", runPositions},
}

// elsewhere names the files that other tests check. Those of the folder checkpoints are checked in nn/state.
var elsewhere = map[string]string{
	"transforms":         "checked in beit/data",
	"finetune_key_remap": "checked in beit/weights and beit/train",
}

// Check fails once when the set cannot be read or a file that Run needs is damaged, in place of once for each device.
func Check(t *testing.T) {
	t.Helper()
	s := Open(t)
	for _, name := range s.Names() {
		if _, ok := kindOf(name); ok {
			s.Path(t, name)
		}
	}
}

// kindOf tells a file's sort from its name; files in folders have none.
func kindOf(name string) (kind, bool) {
	base, ok := strings.CutSuffix(name, ".safetensors")
	if !ok || strings.Contains(base, "/") {
		return kind{}, false
	}
	for _, k := range kinds {
		if strings.HasPrefix(base, k.prefix) {
			return k, true
		}
	}
	return kind{}, false
}

// Run checks a device against every file of the reference data that the engine covers, one subtest for each file and variant.
func Run(t *testing.T, dev *tensor.Device) {
	s := Open(t)
	found := map[string]bool{}
	for _, name := range s.Names() {
		base, ok := strings.CutSuffix(name, ".safetensors")
		if !ok || strings.Contains(base, "/") {
			continue
		}
		t.Run(base, func(t *testing.T) {
			k, ok := kindOf(name)
			if !ok {
				if why := elsewhere[base]; why != "" {
					t.Skip(why)
				}
				s.Unknown(t, "%s: no check reads this file", name)
			}
			f := s.file(t, name)
			k.run(t, f, dev)
			if len(f.checked) == 0 {
				t.Errorf("%s: nothing was checked", name)
			}
		})
		if k, ok := kindOf(name); ok {
			found[k.prefix] = true
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has none of the files that are checked here", s.dir)
	}
	for _, k := range kinds {
		if !found[k.prefix] {
			t.Run(k.prefix, func(t *testing.T) { s.Unknown(t, "the set has no file called %s….safetensors", k.prefix) })
		}
	}
}

// Schedule checks what schedule.json holds, where no device matters: learning-rate schedules, layer decay, parameter groups, rates of
// stochastic depth, and statistics of masks and of initial weights.
func Schedule(t *testing.T) {
	s := Open(t)
	if !s.Has("schedule.json") {
		s.Unknown(t, "the set has no schedule.json")
	}
	runSchedule(t, s)
}

// file is one safetensors file of the set.
type file struct {
	*state.File
	entry
	set     *Set
	checked map[string]bool // names that a comparison was made with
}

func (s *Set) file(t *testing.T, name string) *file {
	t.Helper()
	f, _ := s.Safetensors(t, name, new(json.RawMessage))
	return &file{File: f, entry: s.files[name], set: s, checked: map[string]bool{}}
}

// variants lists what comes before the first slash in the tensors' names: operations, or variants of a model.
func (f *file) variants() []string {
	var out []string
	for name := range f.Tensors {
		variant, _, _ := strings.Cut(name, "/")
		out = append(out, variant)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// config decodes the file's configuration.
func (f *file) config(t *testing.T, to any) {
	t.Helper()
	if err := json.Unmarshal(f.Config, to); err != nil {
		t.Fatalf("the file's configuration: %v", err)
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

// lacks says whether another set than the project's own was made without a tensor; complete asks that not all are missing.
func (f *file) lacks(t *testing.T, name string) bool {
	t.Helper()
	if f.has(name) || !f.set.other {
		return false
	}
	t.Logf("%s: not in this set", name)
	return true
}

// equal compares floats with an expected tensor, by the largest difference and by the relative 2-norm of all.
func (f *file) equal(t *testing.T, name string, got []float32) {
	t.Helper()
	if f.lacks(t, name) {
		return
	}
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
	if f.lacks(t, name) {
		return
	}
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
	if f.lacks(t, name) {
		return
	}
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
		limit := f.Tensors[full].UpdateL2Tol
		if limit == nil {
			t.Errorf("%s: the manifest gives no tolerance", full)
		} else if rel := math.Sqrt(off / moved); off > 0 && !(rel <= *limit) {
			t.Errorf("%s: relative error of the update %.3g, allowed %.3g", full, rel, *limit)
		}
	}
}

// complete fails for every expected tensor under prefix that nothing was compared with, and where there is none.
func (f *file) complete(t *testing.T, prefix string) {
	t.Helper()
	if t.Failed() {
		return
	}
	checked := false
	for _, name := range f.names(prefix) {
		full := prefix + name
		checked = checked || f.checked[full]
		if f.Tensors[full].Role == "expected" && !f.checked[full] {
			t.Errorf("%s: nothing was compared with it", full)
		}
	}
	if !checked {
		t.Errorf("%s: nothing was compared with it", prefix)
	}
}
