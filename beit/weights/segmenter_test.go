package weights_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/internal/oracletest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// segmentationCase is what the authors' code for segmentation does to one checkpoint.
type segmentationCase struct {
	Model struct {
		ImageSize  int     `json:"img_size"`
		PatchSize  int     `json:"patch_size"`
		Channels   int     `json:"in_chans"`
		Width      int     `json:"embed_dim"`
		Depth      int     `json:"depth"`
		Heads      int     `json:"num_heads"`
		MLPRatio   float64 `json:"mlp_ratio"`
		QKVBias    bool    `json:"qkv_bias"`
		LayerScale float64 `json:"init_values"`
		AbsPos     bool    `json:"use_abs_pos_emb"`
		BlockRel   bool    `json:"use_rel_pos_bias"`
		SharedRel  bool    `json:"use_shared_rel_pos_bias"`
	}
	Container string `json:"stored_under"`
}

// TestOracleSegmentationKeyRemap loads each checkpoint, written as PyTorch would, into the backbone of a segmenter.
func TestOracleSegmentationKeyRemap(t *testing.T) {
	set := oracletest.OpenMethods(t)
	const name = "segmentation_key_remap.safetensors"
	if !set.Has(name) {
		set.Unknown(t, "the set has no %s", name)
	}
	var config struct{ Variants map[string]segmentationCase }
	f, _ := set.Safetensors(t, name, &config)
	if len(config.Variants) == 0 {
		t.Fatal("the configuration has no variants")
	}
	for name, c := range config.Variants {
		t.Run(name, func(t *testing.T) { c.check(t, f, name) })
	}
}

func (c segmentationCase) check(t *testing.T, f *state.File, name string) {
	var all list
	for tensor, e := range below(f, name+"/checkpoint/") {
		all = append(all, state.Named{Name: tensor, DType: e.DType, Shape: e.Shape, Read: func() ([]byte, error) { return f.Bytes(e.Name) }})
	}
	file, err := state.Open(writeList(t, "checkpoint.pth", c.Container, all))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := weights.FromFileWithoutConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if w, err = w.Backbone(); err != nil {
		t.Fatal(err)
	}
	m := c.Model
	v := beit.ViTConfig{
		ImageSize: m.ImageSize, PatchSize: m.PatchSize, Channels: m.Channels, Width: m.Width, Depth: m.Depth, Heads: m.Heads, MLPRatio: m.MLPRatio,
		QKVBias: m.QKVBias, LayerScale: m.LayerScale, AbsPos: m.AbsPos, RelPos: beit.RelPosNone,
	}
	switch {
	case m.BlockRel:
		v.RelPos = beit.RelPosBlock
	case m.SharedRel:
		v.RelPos = beit.RelPosShared
	}
	params := nn.NewSet()
	beit.NewSegmenter(params.Scope(), beit.SegmenterConfig{ViT: v, Head: beit.HeadLinear, Classes: 3}, false)
	fit, err := w.Renamed("", "backbone.").Fit(params.Params(), weights.ToSegmenter)
	if err != nil {
		t.Fatal(err)
	}
	params.Build(cpu, 1, nn.Training)
	defer params.Release()
	if err := fit.Load(); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for tensor := range below(f, name+"/loaded/") {
		if strings.HasSuffix(tensor, "relative_position_index") || strings.HasPrefix(tensor, "fpn") { // of the neck, which keeps its initial values
			continue
		}
		p := params.Lookup("backbone." + tensor)
		if p == nil {
			t.Errorf("the backbone has no parameter %s", tensor)
			continue
		}
		want, err := f.Float32s(name + "/loaded/" + tensor)
		if err != nil {
			t.Fatal(err)
		}
		limit := 0.0 // what is not resized is copied
		if slices.ContainsFunc(fit.Report.Resized, func(m state.Mismatch) bool { return m.Name == p.Name }) {
			limit = 2e-6
		}
		for i, got := range p.Value.Float32s() {
			if !(math.Abs(float64(got)-float64(want[i])) <= limit) {
				t.Errorf("%s: element %d is %v, want %v", tensor, i, got, want[i])
				break
			}
		}
		checked++
	}
	for _, p := range params.Params() {
		if rest, ok := strings.CutPrefix(p.Name, "backbone."); ok && !slices.Contains(fit.Report.Loaded, p.Name) {
			t.Errorf("%s was not loaded", rest)
		}
	}
	if checked == 0 {
		t.Error("nothing was compared")
	}
}

// TestOracleHFSegmentation computes what transformers computes with its files, of both namings: with its taps and with the official ones.
func TestOracleHFSegmentation(t *testing.T) {
	set := oracletest.OpenMethods(t)
	const name = "hf_segmentation.safetensors"
	if !set.Has(name) {
		set.Unknown(t, "the set has no %s", name)
	}
	var config struct {
		Weights string
		Eps     float32 `json:"layer_norm_eps"`
		Taps    []int   `json:"out_indices"`
		Aux     float32 `json:"auxiliary_loss_weight"`
	}
	f, tensors := set.Safetensors(t, name, &config)
	dir := filepath.Dir(config.Weights)
	for _, path := range []string{dir, filepath.Join(dir, "new_names")} {
		set.Path(t, path+"/config.json")
		m, err := weights.Open(set.Path(t, path+"/model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		h := hfCase{t: t, set: set, f: f, file: name, weights: m, checked: map[string]bool{}}
		var taps []string
		for _, i := range config.Taps {
			taps = append(taps, fmt.Sprint(i-2)) // hidden state i-1, of which the first is the embedding
		}
		if got, err := m.Segmenter.TapBlocks(); err != nil || strings.Trim(fmt.Sprint(got), "[]") != strings.Join(taps, " ") {
			t.Errorf("the file's own taps are %v, %v, want %v", got, err, taps)
		}
		h.run(strings.Join(taps, ","), 1e-6, "logits_eps1e-6", nil)
		h.run(strings.Join(taps, ","), config.Eps, "logits", func(ctx nn.Context, net *beit.Segmenter, images, logits, aux *autograd.Var) {
			h.loss(logits, aux, config.Aux)
			for i, x := range net.AllBlocks(ctx, images) {
				if out := fmt.Sprintf("segmentation/out/hidden.%d", i+1); slices.Contains(tensors, out) {
					h.equal(out, x.Value())
				}
			}
		})
		h.run(beit.TapsOfficial, config.Eps, "logits_official_taps", nil)
		for _, tensor := range tensors {
			if strings.HasPrefix(tensor, "segmentation/out/") && !h.checked[tensor] {
				t.Errorf("%s: nothing was compared with it", tensor)
			}
		}
		if m.ViT.Depth == 12 {
			c := m.Segmenter
			c.Taps = beit.TapsHF
			if got, err := c.TapBlocks(); err != nil || !slices.Equal(got, []int{1, 3, 5, 9}) {
				t.Errorf("the rule of transformers taps %v, %v", got, err)
			}
		}
	}
}

// hfCase is a file of transformers.
type hfCase struct {
	t       *testing.T
	set     *oracletest.Set
	f       *state.File
	file    string
	weights *weights.Model
	checked map[string]bool
}

// run compares logits of the network with given taps and epsilon of the layer norms; more, where it is not nil, looks at the pass.
func (h hfCase) run(taps string, eps float32, out string, more func(ctx nn.Context, net *beit.Segmenter, images, logits, aux *autograd.Var)) {
	h.t.Helper()
	m := *h.weights
	m.Segmenter.Taps = taps
	network, params, err := m.Build(cpu)
	if err != nil {
		h.t.Fatal(err)
	}
	defer params.Release()
	net := network.(*beit.Segmenter)
	for _, b := range net.Blocks {
		b.Norm1.Eps, b.Norm2.Eps = eps, eps
	}
	tape := autograd.NewTape(cpu)
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	tape.NoGrad(func() {
		images := tape.Constant(h.tensor("segmentation/in/images"))
		logits, aux := net.Forward(ctx, images)
		h.equal("segmentation/out/"+out, logits.Value())
		if more != nil {
			more(ctx, net, images, logits, aux)
		}
	})
}

// loss is a mean over labelled pixels.
func (h hfCase) loss(logits, aux *autograd.Var, weight float32) {
	h.t.Helper()
	e, _ := h.f.Entry("segmentation/in/labels")
	values, err := h.f.Int64s("segmentation/in/labels")
	if err != nil {
		h.t.Fatal(err)
	}
	labels := make([]int32, len(values))
	for i, v := range values {
		if labels[i] = int32(v); v == 255 {
			labels[i] = -1
		}
	}
	want := tensor.FromInts(cpu, labels, e.Shape...)
	mean := func(x *autograd.Var) *autograd.Var {
		return autograd.PixelCrossEntropy(autograd.ResizeBilinear(x, e.Shape[1], e.Shape[2]), want, false)
	}
	h.equal("segmentation/out/loss", autograd.Add(mean(logits), autograd.Affine(mean(aux), weight, 0)).Value())
}

func (h hfCase) tensor(name string) *tensor.Tensor {
	h.t.Helper()
	e, _ := h.f.Entry(name)
	v, err := h.f.Float32s(name)
	if err != nil {
		h.t.Fatal(err)
	}
	return tensor.FromSlice(cpu, v, e.Shape...)
}

// equal compares within the tolerance of the manifest.
func (h hfCase) equal(name string, got *tensor.Tensor) {
	h.t.Helper()
	h.checked[name] = true
	atol := h.set.Atol(h.t, h.file, name)
	want, worst := h.tensor(name).Float32s(), 0.0
	values := got.Float32s()
	if len(values) != len(want) {
		h.t.Fatalf("%s: %d values, want %d", name, len(values), len(want))
	}
	for i, v := range values {
		worst = max(worst, math.Abs(float64(v)-float64(want[i])))
	}
	if !(worst <= atol) {
		h.t.Errorf("%s: off by %.3g, allowed %.3g", name, worst, atol)
	}
}

// TestHFConfigOfSegmenter describes transformers' own file as transformers does, and refuses what its network cannot compute.
func TestHFConfigOfSegmenter(t *testing.T) {
	set := oracletest.OpenMethods(t)
	const dir = "hf_segmentation"
	if !set.Has(dir + "/config.json") {
		set.Unknown(t, "the set has no %s", dir)
	}
	var want map[string]any
	set.JSON(t, dir+"/config.json", &want)
	m, err := weights.Open(set.Path(t, dir+"/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Segmenter.Taps = beit.TapsOfficial
	if _, err := m.HFConfig(nil); err == nil || !strings.Contains(err.Error(), "--taps hf") {
		t.Errorf("official taps: error %v", err)
	}
	m.Segmenter.Taps = beit.TapsHF
	text, err := m.HFConfig(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	for key, v := range got {
		if key != "layer_norm_eps" && fmt.Sprint(v) != fmt.Sprint(want[key]) { // 1e-6 is BEiT's own
			t.Errorf("%s = %v, want %v", key, v, want[key])
		}
	}
	for name, change := range map[string]func(c *beit.SegmenterConfig){
		"they must be equal":                 func(c *beit.SegmenterConfig) { c.HeadChannels++ },
		"must be larger than 8":              func(c *beit.SegmenterConfig) { c.ViT.PatchSize, c.ViT.ImageSize = 8, 64 },
		"no auxiliary head":                  func(c *beit.SegmenterConfig) { c.AuxChannels = 0 },
		`its head is "linear"`:               func(c *beit.SegmenterConfig) { c.Head = beit.HeadLinear },
		"up to block 10 (beit segment train": func(c *beit.SegmenterConfig) { c.Taps = "1,3,5,11" },
	} {
		other := *m
		change(&other.Segmenter)
		if _, err := other.HFConfig(nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one with %q", err, name)
		}
	}
}

// TestConvertSegmenter writes transformers' file under the authors' names and back: the tensors have the same bytes. Counts of batches, which files of
// this project lack, are added.
func TestConvertSegmenter(t *testing.T) {
	set := oracletest.OpenMethods(t)
	const name = "hf_segmentation/model.safetensors"
	if !set.Has(name) {
		set.Unknown(t, "the set has no %s", name)
	}
	first, err := weights.Open(set.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	there, back := filepath.Join(t.TempDir(), "official.safetensors"), filepath.Join(t.TempDir(), "hf.safetensors")
	if _, dropped, err := first.Convert(t.Context(), there, weights.Official, nil); err != nil || len(dropped) > 0 {
		t.Fatalf("dropped %v, error %v", dropped, err)
	}
	m, err := weights.Open(there)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, dropped, err := m.Convert(t.Context(), back, weights.HF, nil); err != nil || len(dropped) > 0 {
		t.Fatalf("dropped %v, error %v", dropped, err)
	}
	if m.Segmenter.Taps != first.Segmenter.Taps {
		t.Errorf("taps %q, want %q", m.Segmenter.Taps, first.Segmenter.Taps)
	}
	f, err := state.Open(back)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if !slices.Equal(slices.Sorted(slices.Values(f.Names())), slices.Sorted(slices.Values(first.File().Names()))) {
		t.Errorf("names %v", f.Names())
	}
	for _, name := range f.Names() {
		a, errA := f.Bytes(name)
		b, errB := first.File().Bytes(name)
		if errA != nil || errB != nil || !slices.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

// Files of transformers whose backbone does not pool means have a norm behind it, which no head sees. It is left out, in either naming.
func TestSegmenterWithLastNorm(t *testing.T) {
	hf, err := state.Open("../testdata/oracle-methods/hf_segmentation/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer hf.Close()
	var theirs list
	for _, name := range hf.Names() {
		e, _ := hf.Entry(name)
		theirs.add(e.DType, name, e.Shape...)
	}
	for name, l := range map[string]list{"beit.layernorm": theirs, "backbone.norm": segmenter(size{768, 12, 12, 16, 32})} {
		width := 768
		for _, t := range l {
			if t.Name == "beit.embeddings.cls_token" {
				width = t.Shape[2]
			}
		}
		l.affine(name, width)
		m, err := weights.Open(traintest.Hollow(t, l))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer m.Close()
		if !slices.Contains(m.LeftOut, name+".weight") || !slices.Contains(m.LeftOut, name+".bias") || slices.Contains(m.Names(), "backbone.norm.weight") {
			t.Errorf("%s: left out %v", name, m.LeftOut)
		}
	}
}

// TestTapsOfHFSegmenter opens transformers' file with other files beside it, and without any.
func TestTapsOfHFSegmenter(t *testing.T) {
	set := oracletest.OpenMethods(t)
	const dir = "hf_segmentation"
	if !set.Has(dir + "/config.json") {
		set.Unknown(t, "the set has no %s", dir)
	}
	content, err := os.ReadFile(set.Path(t, dir+"/model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		config, taps, head, note string
	}{
		"none":       {"", beit.TapsHF, beit.HeadUperNet, "no config.json beside it tells others"},
		"the rule":   {`{"out_indices": [3, 5, 7, 11]}`, beit.TapsHF, beit.HeadUperNet, "the head sees blocks 1 3 5 9, as in transformers: config.json"},
		"others":     {`{"out_indices": [2, 3, 4, 12]}`, "0,1,2,10", beit.HeadUperNet, "the head sees blocks 0 1 2 10"},
		"embedding":  {`{"out_indices": [1, 3, 4, 12]}`, "", "", "its head cannot be used: config.json beside it"},
		"too few":    {`{"out_indices": [3, 4]}`, "", "", "its head cannot be used"},
		"no numbers": {`{"out_indices": null}`, beit.TapsHF, beit.HeadUperNet, "no config.json beside it tells others"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "model.safetensors")
			if err := os.WriteFile(file, content, 0o666); err != nil {
				t.Fatal(err)
			}
			if c.config != "" {
				if err := os.WriteFile(filepath.Join(folder, "config.json"), []byte(c.config), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			m, err := weights.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if m.Segmenter.Taps != c.taps || m.Segmenter.Head != c.head {
				t.Errorf("head %q, taps %q", m.Segmenter.Head, m.Segmenter.Taps)
			}
			if !slices.ContainsFunc(m.Notes, func(n *weights.Note) bool { return strings.Contains(n.Text, c.note) }) {
				t.Errorf("no note says %q: %v", c.note, m.Notes)
			}
		})
	}
}
