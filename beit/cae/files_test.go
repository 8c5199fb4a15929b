package cae_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/cae"
	"github.com/gobeit/gobeit/beit/internal/runtest"
	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// tiny is a network of the width of a published one's heads, so that a file tells their number.
func tiny(neck int) cae.NetworkConfig {
	return cae.NetworkConfig{
		ViT: cae.Shape(beit.ViTConfig{
			ImageSize: 32, PatchSize: 8, Channels: 3, Width: 64, Depth: 2, Heads: 1, MLPRatio: 4, LayerScale: 0.1, DropPath: 0.1,
		}),
		Neck:  cae.NeckConfig{Width: neck, Heads: neck / 64, RegressorDepth: 3, DecoderDepth: 2, LayerScale: 0.1},
		Vocab: 24, Glorot: true,
	}
}

// publishedNames are names and shapes of the tensors of a published file, as the authors' modeling_cae.py declares them, written down apart from this
// code.
func publishedNames(c cae.NetworkConfig) map[string][]int {
	list := map[string][]int{}
	add := func(prefix string, d, hidden int, names string) {
		for _, name := range strings.Fields(names) {
			name, kind, _ := strings.Cut(name, ":")
			list[prefix+name] = map[string][]int{
				"": {d}, "dd": {d, d}, "3dd": {3 * d, d}, "hd": {hidden, d}, "dh": {d, hidden}, "h": {hidden},
			}[kind]
		}
	}
	const block = "gamma_1 gamma_2 norm1.weight norm1.bias attn.q_bias attn.v_bias attn.qkv.weight:3dd attn.proj.weight:dd attn.proj.bias norm2.weight " +
		"norm2.bias mlp.fc1.weight:hd mlp.fc1.bias:h mlp.fc2.weight:dh mlp.fc2.bias"
	v, n := c.ViT, c.Neck
	for _, encoder := range []string{"encoder.", "teacher."} {
		list[encoder+"cls_token"], list[encoder+"pos_embed"] = []int{1, 1, v.Width}, []int{1, v.Tokens() + 1, v.Width}
		list[encoder+"patch_embed.proj.weight"] = []int{v.Width, 3, v.PatchSize, v.PatchSize}
		add(encoder, v.Width, 0, "patch_embed.proj.bias norm.weight norm.bias")
		for i := range v.Depth {
			add(fmt.Sprintf("%sblocks.%d.", encoder, i), v.Width, 4*v.Width, block)
		}
	}
	list["mask_token"] = []int{1, 1, n.Width}
	if n.Width != v.Width {
		list["encoder_to_decoder.weight"], list["encoder_to_decoder.bias"] = []int{n.Width, v.Width}, []int{n.Width}
		add("encoder_to_decoder_norm.", n.Width, 0, "weight bias")
	}
	for i := range n.RegressorDepth {
		add(fmt.Sprintf("pretext_neck.regressor_blocks.%d.", i), n.Width, 4*n.Width, "gamma_1_cross gamma_2_cross norm1_q.weight norm1_q.bias norm1_k.weight "+
			"norm1_k.bias norm1_v.weight norm1_v.bias norm2_cross.weight norm2_cross.bias cross_attn.q.weight:dd cross_attn.k.weight:dd cross_attn.v.weight:dd "+
			"cross_attn.q_bias cross_attn.v_bias cross_attn.proj.weight:dd cross_attn.proj.bias mlp_cross.fc1.weight:hd mlp_cross.fc1.bias:h "+
			"mlp_cross.fc2.weight:dh mlp_cross.fc2.bias")
	}
	for i := range n.DecoderDepth {
		add(fmt.Sprintf("pretext_neck.decoder_blocks.%d.", i), n.Width, 4*n.Width, block)
	}
	add("pretext_neck.", n.Width, 0, "norm.weight norm.bias norm2.weight norm2.bias")
	list["pretext_neck.head.weight"], list["pretext_neck.head.bias"] = []int{c.Vocab, n.Width}, []int{c.Vocab}
	return list
}

// The networks of the presets have the published names and shapes, the encoder's copy among them.
func TestPublishedNames(t *testing.T) {
	narrow := tiny(128)
	for name, c := range map[string]cae.NetworkConfig{
		"base": cae.SectionOf(cae.Method.Preset("base")).Model, "large": cae.SectionOf(cae.Method.Preset("large")).Model, "another width": narrow,
	} {
		set := nn.NewSet()
		cae.NewNetwork(set.Scope(), c)
		cae.NewTeacher(set.Scope(), c)
		got := map[string][]int{}
		for _, p := range set.Params() {
			got[p.Name] = p.Shape
		}
		if d := cmp.Diff(publishedNames(c), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// published writes a file of these names as the authors publish theirs, for PyTorch under the key model. Its positions are the fixed ones.
func published(t *testing.T, c cae.NetworkConfig, keep func(name string) (as string, ok bool)) string {
	t.Helper()
	names := publishedNames(c)
	var list []state.Named
	for i, name := range slices.Sorted(maps.Keys(names)) {
		values := traintest.Pixels(tensor.Shape(names[name]).Size() + i)[i:]
		if strings.HasSuffix(name, "pos_embed") {
			values = cae.Positions(c.ViT.Width, c.ViT.Grid())
		}
		if as, ok := keep(name); ok {
			list = append(list, state.Named{Name: as, DType: state.F32, Shape: names[name], Float32s: values})
		}
	}
	path := filepath.Join(t.TempDir(), "cae.pth")
	f, err := os.Create(path)
	if err == nil {
		err = state.WriteTorch(f, "model", list)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func whole(name string) (string, bool) { return name, true }

// A file with exactly the published names is known for what it is, and loads with nothing missing; what is left out is the encoder's copy.
func TestOpenPublished(t *testing.T) {
	for _, neck := range []int{64, 128} {
		want := tiny(neck)
		path := published(t, want, whole)
		m := runtest.Open(t, path)
		if d := cmp.Diff(&want, m.Network); d != "" || m.Kind != cae.Kind || m.Method != cae.Method || m.Run {
			t.Fatalf("neck %d: kind %s, network (-want +got):\n%s", neck, m.Kind, d)
		}
		set := nn.NewSet()
		m.Declare(set.Scope())
		fit, err := m.Fit(set.Params())
		if err != nil {
			t.Fatal(err)
		}
		r := fit.Report
		if len(r.Missing)+len(r.Unexpected)+len(r.Resized) > 0 || len(r.Loaded) != len(set.Params()) {
			t.Errorf("neck %d: missing %v, unexpected %v, resized %v", neck, r.Missing, r.Unexpected, r.Resized)
		}
		for _, name := range r.Dropped {
			if !strings.HasPrefix(name, "teacher.") {
				t.Errorf("neck %d: left out: %s", neck, name)
			}
		}
		if copied := 6 + 2*15; len(r.Dropped) != copied {
			t.Errorf("neck %d: %d tensors are left out, want %d", neck, len(r.Dropped), copied)
		}
		network, built, err := m.Build(tensor.CPU())
		if err != nil {
			t.Fatal(err)
		}
		defer built.Release()
		if _, ok := network.(*cae.Network); !ok {
			t.Errorf("neck %d: built %T", neck, network)
		}
		f, err := state.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, p := range built.Params() {
			if values, err := f.Float32s(p.Name); err != nil || !slices.Equal(values, p.Value.Float32s()) {
				t.Errorf("neck %d: %s has other values than the file, error %v", neck, p.Name, err)
			}
		}
	}
}

// An encoder alone, as fine-tuning writes it, is told by its positions from another backbone's, and gives the features of the whole.
func TestOpenPublishedEncoder(t *testing.T) {
	c := tiny(64)
	path := published(t, c, func(name string) (string, bool) { return strings.CutPrefix(name, "encoder.") })
	m := runtest.Open(t, path)
	if n, ok := m.Network.(*cae.NetworkConfig); !ok || m.Kind != cae.Kind || n.Neck != (cae.NeckConfig{}) || n.ViT != c.ViT {
		t.Fatalf("kind %s, network %+v", m.Kind, m.Network)
	}
	e := runtest.Encoder(t, tensor.CPU(), path)
	if d := cmp.Diff(features(t, published(t, c, whole)), features(t, path)); d != "" || e.Width() != 64 {
		t.Errorf("other features:\n%s", d)
	}
	// Positions of another kind are those of another backbone.
	set := nn.NewSet()
	beit.NewViT(set.Scope(), c.ViT)
	set.Build(tensor.CPU(), 3, nn.Inference)
	defer set.Release()
	if m := runtest.Open(t, traintest.WriteTensors(t, nil, nn.Tensors(set.Params()))); m.Kind != weights.Classifier {
		t.Errorf("a backbone with learned positions is taken for a %s", m.Kind)
	}
}

// features are the tokens of an image, for the encoder in a file.
func features(t *testing.T, path string) []float32 {
	t.Helper()
	return allTokens(runtest.Encoder(t, tensor.CPU(), path))
}

// A run's model is written without regressor and decoder, as fine-tuning has encoders, and gives the same features.
func TestExport(t *testing.T) {
	res := runtest.Train(t, cae.Method, tinyOf(t, runtest.Folder(t, tokenizer.Method), wide...), train.Env{})
	path := filepath.Join(t.TempDir(), "encoder.pth")
	if _, dropped, err := runtest.Open(t, res.Dir).Encoder().Convert(t.Context(), path, weights.Official, nil); err != nil || dropped != nil {
		t.Fatalf("dropped %v, error %v", dropped, err)
	}
	written, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer written.Close()
	if names := written.Names(); len(names) != 2*15+6 {
		t.Errorf("%d tensors are written: %v", len(names), names)
	}
	if d := cmp.Diff(features(t, res.Dir), features(t, path)); d != "" {
		t.Errorf("other features:\n%s", d)
	}
}

// A run starts from a published file.
func TestStartFromPublished(t *testing.T) {
	path := published(t, tiny(64), whole)
	tok := runtest.Folder(t, tokenizer.Method, "tokenizer.model.encoder.image_size=32", "tokenizer.model.encoder.patch_size=8", "tokenizer.model.codes=24")
	c := tinyOf(t, tok, "init_from="+path, "train.epochs=1", "train.lr=0", "train.min_lr=0", "cae.model.vit.image_size=32", "cae.model.vit.patch_size=8",
		"cae.model.vit.width=64", "cae.model.vit.heads=1", "cae.model.neck.width=64", "cae.model.neck.heads=1", "cae.model.neck.regressor_depth=3")
	got, _ := traintest.ModelTensors(t, runtest.Train(t, cae.Method, c, train.Env{}).Model)
	f, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, n := range got {
		if values, err := f.Float32s(n.Name); err != nil || !slices.Equal(values, n.Float32s) {
			t.Errorf("%s does not start as in the file, error %v", n.Name, err)
		}
	}
}
