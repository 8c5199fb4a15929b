package oracletest

import (
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// remapCase is what the authors' fine-tuning script does to one checkpoint.
type remapCase struct {
	Name    string
	Options struct {
		Key    string `json:"checkpoint_key"`
		Filter string `json:"model_filter_name"`
	}
	Dropped    []string
	Resized    []string
	LeftAtInit []string `json:"model_keys_left_at_init"`
	Unused     []string `json:"checkpoint_keys_unused"`
}

// runRemap loads each checkpoint, written as PyTorch would, into the classifier that the script had, and compares every parameter.
func runRemap(t *testing.T, f *file, dev *tensor.Device) {
	var config struct{ Heads int }
	f.config(t, &config)
	var list struct{ Cases []remapCase }
	f.set.JSON(t, "finetune_key_remap.json", &list)
	if len(list.Cases) == 0 {
		t.Fatal("finetune_key_remap.json has no cases")
	}
	for _, c := range list.Cases {
		t.Run(c.Name, func(t *testing.T) {
			m := f.checkpoint(t, c)
			set := nn.NewSet()
			vit := f.classifier(t, c.Name, config.Heads)
			beit.NewViT(set.Scope(), vit)
			fit, err := m.Fit(set.Params(), true)
			if err != nil {
				t.Fatal(err)
			}
			set.Build(dev, 0, nn.Inference)
			defer set.Release()
			for _, p := range set.Params() {
				p.Value.Upload(f.floats(t, c.Name+"/model_before/"+p.Name))
			}
			if err := fit.Load(); err != nil {
				t.Fatal(err)
			}
			sameNames(t, "parameters left as they were", fit.Report.Missing, c.LeftAtInit)
			unused := slices.DeleteFunc(fit.Report.Unexpected, func(n string) bool { return slices.Contains(c.Dropped, n) })
			sameNames(t, "unused tensors", unused, c.Unused)
			for _, p := range set.Params() {
				resized := slices.ContainsFunc(fit.Report.Resized, func(m state.Mismatch) bool { return m.Name == p.Name })
				f.after(t, c.Name+"/model_after/"+p.Name, p.Value, resized)
			}
			for _, name := range f.names(c.Name + "/model_after/") {
				if !strings.HasSuffix(name, "relative_position_index") && set.Lookup(name) == nil {
					t.Errorf("the model has no parameter %s", name)
				}
			}
		})
	}
}

// checkpoint is the file of a case.
func (f *file) checkpoint(t *testing.T, c remapCase) *weights.Model {
	t.Helper()
	prefix := c.Name + "/checkpoint/"
	var list []state.Named
	for _, name := range f.names(prefix) {
		e, _ := f.Entry(prefix + name)
		raw, err := f.File.Bytes(prefix + name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, state.Named{Name: name, DType: e.DType, Shape: e.Shape, Raw: raw})
	}
	path := filepath.Join(t.TempDir(), "checkpoint.pth")
	err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteTorch(w, c.Options.Key, list) })
	if err != nil {
		t.Fatal(err)
	}
	sf, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sf.Close() })
	m, err := weights.Sort(sf)
	if err != nil {
		t.Fatal(err)
	}
	if c.Options.Filter != "" {
		if m, err = m.Backbone(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// classifier is the configuration of the model that a case loads into.
func (f *file) classifier(t *testing.T, name string, heads int) beit.ViTConfig {
	t.Helper()
	shapes := map[string][]int{}
	prefix := name + "/model_before/"
	for _, n := range f.names(prefix) {
		shapes[n] = f.shape(t, prefix+n)
	}
	c, err := beit.InferBEiT(shapes)
	if err != nil {
		t.Fatal(err)
	}
	c.Heads = heads
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	return c
}

// resizedTol is how far resized tables may be from the script's, as the manifest says in words.
const resizedTol = 2e-6

// after compares a parameter with what the script loaded: exactly, unless it was resized.
func (f *file) after(t *testing.T, name string, got *tensor.Tensor, resized bool) {
	t.Helper()
	f.checked[name] = true
	limit := 0.0
	if resized {
		limit = resizedTol
	}
	if worst, at, _ := distance(t, name, got.Float32s(), f.floats(t, name)); !(worst <= limit) {
		t.Errorf("%s: element %d is off by %.3g, allowed %.3g", name, at, worst, limit)
	}
}

func sameNames(t *testing.T, what string, got, want []string) {
	t.Helper()
	g, w := map[string]bool{}, map[string]bool{}
	for _, n := range got {
		g[n] = true
	}
	for _, n := range want {
		w[n] = true
	}
	if !maps.Equal(g, w) {
		t.Errorf("%s: %v, want %v", what, slices.Sorted(maps.Keys(g)), slices.Sorted(maps.Keys(w)))
	}
}
