// Package oracletest compares a device with the reference data in beit/testdata/oracle and beit/testdata/oracle-methods: results of the
// authors' implementation of BEiT v2, and of segmentation, for tiny models. What their code does not have is compared with float64 (Codebooks). Only tests import it.
//
//	func TestOracle(t *testing.T) { oracletest.Run(t, tensor.CPU()) }
//
// The environment variable BEIT_ORACLE names another folder of the same form, absolute or relative to the root of the module:
//
//	BEIT_ORACLE=../other go test -count=1 -run Oracle ./...
//
// Shapes, settings, and the names of files, variants and operations come from the files, so another set may have different ones. Parts of
// another set without a check are skipped by name. A file of which nothing is checked is a failure.
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

// kind is a kind of file, by prefix of its name, and its check.
type kind struct {
	prefix string
	run    func(t *testing.T, f *file, dev *tensor.Device)
}

// kinds are the files that Run checks.
var kinds = []kind{
	{"ops", runOps}, {"vit_", runViT}, {"mim_", runMIM}, {"vqkd", runVQKD}, {"teacher_clip", runCLIP}, {"teacher_dino", runDINO},
	{"pos_interp", runPositions}, {"upernet", runUperNet},
}

// elsewhere has the files that other tests check. Those of the folder checkpoints are checked in nn/state.
var elsewhere = map[string]string{
	"transforms":             "checked in beit/data",
	"finetune_key_remap":     "checked in beit/weights",
	"cae":                    "checked by TestOracleMethods",
	"mae":                    "checked by TestOracleMethods",
	"dalle":                  "checked by TestOracleMethods",
	"segmentation_key_remap": "checked in beit/weights",
	"hf_segmentation":        "checked in beit/weights",
}

// Check fails if the set cannot be read or a file that Run needs is damaged. It does so once, not once for each device.
func Check(t *testing.T) {
	t.Helper()
	for _, s := range sets(t) {
		for _, name := range s.Names() {
			if _, ok := kindOf(name); ok {
				s.Path(t, name)
			}
		}
	}
}

// kindOf returns the kind of a file by its name. Files in folders have none.
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

// Run checks a device against every file of the reference data that has a check, with a subtest for each file and variant.
func Run(t *testing.T, dev *tensor.Device) {
	all := sets(t)
	found := map[string]bool{}
	for _, s := range all {
		s.run(t, dev, found)
	}
	if len(found) == 0 {
		t.Fatalf("%s has none of the files that are checked here", all[0].dir)
	}
	for _, k := range kinds {
		if !found[k.prefix] {
			t.Run(k.prefix, func(t *testing.T) { all[0].Unknown(t, "the set has no file called %s….safetensors", k.prefix) })
		}
	}
}

// run is Run for one set. It notes the kinds of its files in found.
func (s *Set) run(t *testing.T, dev *tensor.Device, found map[string]bool) {
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
}

// Schedule checks schedule.json, which needs no device: learning rate schedules, layer decay, parameter groups, drop path rates, and
// statistics of masks and initial weights.
func Schedule(t *testing.T) {
	s := Open(t)
	if !s.Has("schedule.json") {
		s.Unknown(t, "the set has no schedule.json")
	}
	runSchedule(t, s)
}

// file is a safetensors file of the set.
type file struct {
	*state.File
	entry
	set     *Set
	checked map[string]bool // names of the tensors that were compared
}

func (s *Set) file(t *testing.T, name string) *file {
	t.Helper()
	f, _ := s.Safetensors(t, name, new(json.RawMessage))
	return &file{File: f, entry: s.files[name], set: s, checked: map[string]bool{}}
}

// variants returns the first parts of the names of tensors, before a slash: operations, or variants of a model.
func (f *file) variants() []string {
	var out []string
	for name := range f.Tensors {
		variant, _, _ := strings.Cut(name, "/")
		out = append(out, variant)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// config decodes the configuration of the file.
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

// shape returns the shape of a tensor.
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

// tensor uploads a tensor of the file.
func (f *file) tensor(t *testing.T, dev *tensor.Device, name string) *tensor.Tensor {
	t.Helper()
	return tensor.FromSlice(dev, f.floats(t, name), f.shape(t, name)...)
}

// part uploads element i of the first axis of a tensor with one element for each training step.
func (f *file) part(t *testing.T, dev *tensor.Device, name string, i int) *tensor.Tensor {
	t.Helper()
	shape := f.shape(t, name)
	n := tensor.Shape(shape[1:]).Size()
	return tensor.FromSlice(dev, f.floats(t, name)[i*n:(i+1)*n], shape[1:]...)
}

// names returns the names of the tensors with a prefix, sorted, without it.
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

// lacks reports whether a set other than the project's own does not have a tensor. complete fails if all are missing.
func (f *file) lacks(t *testing.T, name string) bool {
	t.Helper()
	if f.has(name) || !f.set.other {
		return false
	}
	t.Logf("%s: not in this set", name)
	return true
}

// equal compares values with a tensor of the file, by the largest difference and by the relative 2-norm of the difference.
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
	if !e.Zero && !(rel <= *e.L2RelTol) {
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

// equalInts compares integers exactly.
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

// distance returns the largest difference, its index, and the 2-norm of the difference relative to that of want.
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

// load sets the parameters and buffers of a set to the tensors under prefixes such as "relpos_mean/param/". Every parameter must be
// there.
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

// gradients compares the gradients of all parameters.
func (f *file) gradients(t *testing.T, set *nn.Set, prefix string) {
	t.Helper()
	for _, p := range set.Flat() {
		f.equal(t, prefix+p.Name, p.Grad.Float32s())
	}
}

// final compares the parameters after training steps, by the relative 2-norm of the error of their total change.
func (f *file) final(t *testing.T, set *nn.Set, variant string) {
	t.Helper()
	for _, name := range f.names(variant + "/final/") {
		full := variant + "/final/" + name
		p := set.Lookup(name)
		if p == nil {
			t.Errorf("%s: the model has no such parameter", full)
			continue
		}
		f.moved(t, full, f.floats(t, variant+"/param/"+name), p.Value.Float32s())
	}
}

// moved compares values that began as start with a tensor, by the relative 2-norm of the error of their change.
func (f *file) moved(t *testing.T, name string, start, got []float32) {
	t.Helper()
	f.checked[name] = true
	want := f.floats(t, name)
	if len(got) != len(want) || len(start) != len(want) {
		t.Fatalf("%s: %d and %d numbers, want %d", name, len(start), len(got), len(want))
	}
	var off, moved float64
	for i := range want {
		d, m := float64(got[i])-float64(want[i]), float64(want[i])-float64(start[i])
		off, moved = off+d*d, moved+m*m
	}
	limit := f.Tensors[name].UpdateL2Tol
	if limit == nil {
		t.Errorf("%s: the manifest gives no tolerance", name)
	} else if rel := math.Sqrt(off / moved); off > 0 && !(rel <= *limit) {
		t.Errorf("%s: relative error of the change %.3g, allowed %.3g", name, rel, *limit)
	}
}

// complete fails for every expected tensor with a prefix that was not compared, and if there is none.
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
