package train

import (
	"encoding/json"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/oracletest"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// TestOracleKeyRemap loads checkpoints into classifiers as the authors' fine-tuning script does, and compares every parameter afterwards.
func TestOracleKeyRemap(t *testing.T) {
	set := oracletest.Open(t)
	const name = "finetune_key_remap.safetensors"
	if !set.Has(name) {
		set.Unknown(t, "the set has no %s", name)
	}
	f, _ := set.Safetensors(t, name, new(json.RawMessage))
	defer f.Close()
	var cases []string
	for _, n := range f.Names() {
		variant, _, _ := strings.Cut(n, "/")
		cases = append(cases, variant)
	}
	slices.Sort(cases)
	for _, variant := range slices.Compact(cases) {
		t.Run(variant, func(t *testing.T) { checkRemap(t, f, variant) })
	}
}

// part returns the tensors of a file below a folder, floats alone.
func part(t *testing.T, f *state.File, folder string) (list []state.Named, shapes map[string][]int) {
	t.Helper()
	shapes = map[string][]int{}
	for _, n := range f.Names() {
		short, ok := strings.CutPrefix(n, folder+"/")
		e, _ := f.Entry(n)
		if !ok || strings.HasSuffix(n, "relative_position_index") {
			continue
		}
		v, err := f.Float32s(n)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, state.Named{Name: short, DType: state.F32, Shape: e.Shape, Float32s: v})
		shapes[short] = e.Shape
	}
	if len(list) == 0 {
		t.Fatalf("no tensors below %s", folder)
	}
	return list, shapes
}

func checkRemap(t *testing.T, f *state.File, variant string) {
	checkpoint, _ := part(t, f, variant+"/checkpoint")
	before, shapes := part(t, f, variant+"/model_before")
	after, _ := part(t, f, variant+"/model_after")
	v, err := beit.InferBEiT(shapes)
	if err != nil {
		t.Fatal(err)
	}
	if v.Heads == 0 {
		v.Heads = 2 // without a table the number does not show, and does not matter
	}
	set := nn.NewSet()
	newClassifier(set.Scope(), &FinetuneConfig{Network: networkViT, Model: v})
	set.Build(tensor.CPU(), 1, nn.Inference)
	if len(set.Params()) != len(before) {
		t.Errorf("the classifier has %d parameters, the authors' %d", len(set.Params()), len(before))
	}
	for _, b := range before {
		set.Lookup(b.Name).Value.Upload(b.Float32s)
	}
	path := filepath.Join(t.TempDir(), "checkpoint.safetensors")
	if err := state.WriteFileAtomic(path, func(w io.Writer) error { return state.WriteSafetensors(w, nil, checkpoint) }); err != nil {
		t.Fatal(err)
	}
	file, err := state.OpenSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := &source{file: file}
	s.place(beitOrigin)
	if slices.ContainsFunc(checkpoint, func(n state.Named) bool { return strings.HasPrefix(n.Name, "encoder.") }) {
		s.place(encoderOrigin)
	}
	m, err := s.match(set)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.load(set, m); err != nil {
		t.Fatal(err)
	}
	for _, a := range after {
		got := set.Lookup(a.Name).Value.Float32s()
		for i, want := range a.Float32s {
			if math.Abs(float64(got[i]-want)) > 2e-6*(1+math.Abs(float64(want))) { // what is resized is rounded on the way
				t.Fatalf("%s, element %d: %g, want %g", a.Name, i, got[i], want)
			}
		}
	}
}

// TestOracleCLIPArchive fills a classifier from an archive of the form in which CLIP was published, and from the same tensors in plain form.
func TestOracleCLIPArchive(t *testing.T) {
	set := oracletest.Open(t)
	names := []string{"checkpoints/clip_like_torchscript_float16.pt", "checkpoints/clip_like_torchscript_float16.safetensors"}
	var all [2]map[string][]float32
	for i, name := range names {
		if !set.Has(name) {
			set.Unknown(t, "the set has no %s", name)
		}
		path := set.Path(t, name)
		if _, err := openSource(path); err == nil || !strings.Contains(err.Error(), "heads cannot be told") { // it is known for CLIP, and 12 wide
			t.Errorf("%s: error %v", name, err)
		}
		f, err := state.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s := &source{file: f}
		s.place(clipOrigin)
		c, err := beit.InferCLIP(s.shapes())
		if err != nil {
			t.Fatal(err)
		}
		params := nn.NewSet()
		beit.NewCLIPClassifier(params.Scope(), beit.ViTConfig{
			ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: 2,
			MLPRatio: float64(c.Hidden) / float64(c.Width), Classes: 3,
		})
		m, err := s.match(params)
		if err != nil {
			t.Fatal(err)
		}
		params.Build(tensor.CPU(), 1, nn.Inference)
		if err := s.load(params, m); err != nil {
			t.Fatal(err)
		}
		all[i] = map[string][]float32{}
		for _, p := range params.Params() {
			all[i][p.Name] = p.Value.Float32s()
		}
		if d := cmp.Diff([]string{"head.weight", "head.bias"}, m.kept); d != "" {
			t.Errorf("%s: kept %s", name, d)
		}
	}
	if d := cmp.Diff(all[1], all[0]); d != "" {
		t.Error(d)
	}
}
