package weights_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
)

// remapCase is what the authors' fine-tuning script does to one checkpoint.
type remapCase struct {
	Name    string
	Options struct {
		Key    string `json:"checkpoint_key"`
		Filter string `json:"model_filter_name"`
	}
	Dropped    []string
	LeftAtInit []string `json:"model_keys_left_at_init"`
	Unused     []string `json:"checkpoint_keys_unused"`
}

// TestOracleKeyRemap loads each checkpoint, written as PyTorch would, into the classifier that the script had, and compares every parameter and
// what was left over.
func TestOracleKeyRemap(t *testing.T) {
	set := oracletest.Open(t)
	const name = "finetune_key_remap.safetensors"
	if !set.Has(name) {
		set.Unknown(t, "the set has no %s", name)
	}
	var config struct{ Heads int }
	f, _ := set.Safetensors(t, name, &config)
	var list struct{ Cases []remapCase }
	set.JSON(t, "finetune_key_remap.json", &list)
	if len(list.Cases) == 0 {
		t.Fatal("finetune_key_remap.json has no cases")
	}
	for _, c := range list.Cases {
		t.Run(c.Name, func(t *testing.T) { c.check(t, f, config.Heads) })
	}
}

func (c remapCase) check(t *testing.T, f *state.File, heads int) {
	m := c.checkpoint(t, f)
	set := nn.NewSet()
	beit.NewViT(set.Scope(), c.classifier(t, f, heads))
	fit, err := m.Fit(set.Params(), weights.ToClassifier)
	if err != nil {
		t.Fatal(err)
	}
	set.Build(cpu, 0, nn.Inference)
	defer set.Release()
	floats := func(name string) []float32 {
		v, err := f.Float32s(c.Name + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, p := range set.Params() {
		p.Value.Upload(floats("model_before/" + p.Name))
	}
	if err := fit.Load(); err != nil {
		t.Fatal(err)
	}
	sameNames(t, "parameters left as they were", fit.Report.Missing, c.LeftAtInit)
	unused := slices.DeleteFunc(fit.Report.Unexpected, func(n string) bool { return slices.Contains(c.Dropped, n) })
	sameNames(t, "unused tensors", unused, c.Unused)
	for _, p := range set.Params() {
		limit := 0.0 // what is not resized is copied
		if slices.ContainsFunc(fit.Report.Resized, func(m state.Mismatch) bool { return m.Name == p.Name }) {
			limit = 2e-6
		}
		want := floats("model_after/" + p.Name)
		for i, got := range p.Value.Float32s() {
			if !(math.Abs(float64(got)-float64(want[i])) <= limit) {
				t.Errorf("%s: element %d is %v, want %v", p.Name, i, got, want[i])
				break
			}
		}
	}
	for name := range below(f, c.Name+"/model_after/") {
		if !strings.HasSuffix(name, "relative_position_index") && set.Lookup(name) == nil {
			t.Errorf("the model has no parameter %s", name)
		}
	}
}

// below are the tensors whose names begin with prefix, by the rest of it.
func below(f *state.File, prefix string) map[string]state.Entry {
	list := map[string]state.Entry{}
	for _, name := range f.Names() {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			list[rest], _ = f.Entry(name)
		}
	}
	return list
}

// checkpoint is the file of a case.
func (c remapCase) checkpoint(t *testing.T, f *state.File) *weights.Model {
	t.Helper()
	var all list
	for name, e := range below(f, c.Name+"/checkpoint/") {
		all = append(all, state.Named{Name: name, DType: e.DType, Shape: e.Shape, Read: func() ([]byte, error) { return f.Bytes(e.Name) }})
	}
	file, err := state.Open(writeList(t, "checkpoint.pth", c.Options.Key, all))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	m, err := weights.FromFileWithoutConfig(file)
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
func (c remapCase) classifier(t *testing.T, f *state.File, heads int) beit.ViTConfig {
	t.Helper()
	shapes := map[string][]int{}
	for name, e := range below(f, c.Name+"/model_before/") {
		shapes[name] = e.Shape
	}
	v, err := beit.InferBEiT(shapes)
	if err != nil {
		t.Fatal(err)
	}
	v.Heads = heads
	if err := v.Check(); err != nil {
		t.Fatal(err)
	}
	return v
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

// TestOracleCLIPArchive fills a classifier from each archive of the form in which CLIP was published, and from the same tensors in plain form.
func TestOracleCLIPArchive(t *testing.T) {
	set := oracletest.Open(t)
	found := false
	for _, name := range set.Names() {
		base, ok := strings.CutSuffix(name, ".pt")
		if !ok || !strings.HasPrefix(name, "checkpoints/") || !strings.Contains(name, "torchscript") {
			continue
		}
		found = true
		t.Run(strings.TrimPrefix(base, "checkpoints/"), func(t *testing.T) {
			plain := base + ".safetensors"
			if !set.Has(plain) {
				set.Unknown(t, "the set has no %s", plain)
			}
			var config struct{ Width, Heads int }
			set.Config(t, name, &config)
			if config.Heads < 1 {
				t.Fatalf("the configuration of %s does not tell the heads", name)
			}
			all := []*nn.Set{clipClassifier(t, set.Path(t, name), config.Heads), clipClassifier(t, set.Path(t, plain), config.Heads)}
			if got := all[0].Lookup("visual.class_embedding").Shape.Size(); got != config.Width {
				t.Errorf("the width is %d, want %d", got, config.Width)
			}
			for _, p := range all[0].Params() {
				if !slices.Equal(p.Value.Float32s(), all[1].Lookup(p.Name).Value.Float32s()) {
					t.Errorf("%s differs", p.Name)
				}
			}
		})
	}
	if !found {
		set.Unknown(t, "the set has no archives of CLIP among its checkpoints")
	}
}

// clipClassifier builds a classifier on CLIP's image encoder. The shapes in the file give all sizes except the number of heads.
func clipClassifier(t *testing.T, path string, heads int) *nn.Set {
	t.Helper()
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := weights.FromFileWithoutConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, name := range m.Names() {
		x, _ := m.Tensor(name)
		shapes[name] = x.Shape
	}
	c, err := beit.InferCLIP(shapes)
	if err != nil {
		t.Fatal(err)
	}
	if whole, err := weights.Open(path); err == nil {
		if whole.Kind != weights.CLIP {
			t.Errorf("%s is taken for a %v", path, whole.Kind)
		}
		whole.Close()
	} else if c.Width%64 == 0 || !strings.Contains(err.Error(), "heads cannot be told") { // it is known for CLIP, but too narrow
		t.Errorf("%s: error %v", path, err)
	}
	set := nn.NewSet()
	beit.NewCLIPClassifier(set.Scope(), beit.ViTConfig{
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: heads,
		MLPRatio: beit.MLPRatio(c.Hidden, c.Width), Classes: 3,
	}, false)
	fit, err := m.Fit(set.Params(), weights.ToClassifier)
	if err != nil {
		t.Fatal(err)
	}
	sameNames(t, "parameters left as they were", fit.Report.Missing, []string{"head.weight", "head.bias"})
	set.Build(cpu, 1, nn.Inference)
	t.Cleanup(set.Release)
	if err := fit.Load(); err != nil {
		t.Fatal(err)
	}
	return set
}
