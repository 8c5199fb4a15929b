package beit_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TestCLIPClassifier compares a classifier with an identity head with CLIP's image encoder.
func TestCLIPClassifier(t *testing.T) {
	const d = 16
	v := beit.ViTConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: d, Depth: 3, Heads: 2, MLPRatio: 4, Classes: d, DropPath: 0.3}
	towerSet := nn.NewSet()
	tower := beit.NewCLIP(towerSet.Scope(), beit.CLIPConfig{ImageSize: 16, PatchSize: 4, Channels: 3, Width: d, Depth: 3, Heads: 2, Hidden: 4 * d, OutDim: d})
	towerSet.Build(tensor.CPU(), 1, nn.Inference)
	eye := make([]float32, d*d)
	for i := range d {
		eye[i*d+i] = 1
	}
	for _, p := range towerSet.Params() {
		x, r := make([]float32, p.Shape.Size()), tensor.NewRand(tensor.HashString(p.Name))
		for i := range x {
			x[i] = float32(0.3 * r.Norm())
		}
		p.Value.Upload(x)
	}
	tower.Proj.Value.Upload(eye)
	x, r := make([]float32, 2*3*16*16), tensor.NewRand(9)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	for _, mean := range []bool{false, true} {
		v.MeanPool = mean
		set := nn.NewSet()
		m := beit.NewCLIPClassifier(set.Scope(), v, false)
		set.Build(tensor.CPU(), 1, nn.Training)
		for _, p := range set.Params() {
			switch from := towerSet.Lookup(p.Name); {
			case p.Name == "head.weight":
				p.Value.Upload(eye)
			case p.Name == "head.bias":
				p.Value.Zero()
			case from == nil:
				t.Fatalf("the image encoder has no parameter %s", p.Name)
			default:
				p.Value.Upload(from.Value.Float32s())
			}
		}
		tape := autograd.NewTape(tensor.CPU())
		images := tape.Own(tensor.FromSlice(tensor.CPU(), x, 2, 3, 16, 16))
		c := nn.Context{Tape: tape, Seed: 1}
		class, average := beit.Pool(tower.AllTokens(c, images))
		if mean {
			class = average
		}
		want, got := class.Value().Float32s(), m.Logits(c, images).Value().Float32s()
		for i, w := range want {
			if math.Abs(float64(got[i]-w)) > 1e-4 {
				t.Fatalf("mean pooling %v: score %d is %g, want %g", mean, i, got[i], w)
			}
		}
		c.Train = true
		if dropped := m.Logits(c, images).Value().Float32s(); cmp.Equal(dropped, got) {
			t.Error("stochastic depth changes nothing")
		}
		tape.Reset()
	}
}

func TestLayersOfCLIPClassifier(t *testing.T) {
	set := nn.NewSet()
	m := beit.NewCLIPClassifier(set.Scope(), beit.ViTConfig{ImageSize: 8, PatchSize: 4, Channels: 3, Width: 8, Depth: 2, Heads: 2, MLPRatio: 1, Classes: 3}, false)
	got := map[string]int{}
	for _, p := range set.Params() {
		got[p.Name] = m.LayerID(p.Name)
	}
	for name, want := range map[string]int{
		"visual.class_embedding": 0, "visual.positional_embedding": 0, "visual.conv1.weight": 0, "visual.ln_pre.bias": 0,
		"visual.transformer.resblocks.0.attn.in_proj_weight": 1, "visual.transformer.resblocks.1.ln_2.weight": 2, "visual.ln_post.weight": 3, "head.bias": 3,
	} {
		if layer, ok := got[name]; !ok || layer != want {
			t.Errorf("%s belongs to layer %d (there: %v), want %d", name, layer, ok, want)
		}
	}
	if set.Lookup("visual.positional_embedding").Decays() {
		t.Error("positions decay")
	}
}

// TestInferBEiT infers the configuration of every preset from its parameters.
func TestInferBEiT(t *testing.T) {
	for _, name := range beit.ViTPresets() {
		want := beit.ViTPreset(name)
		if want.RelPos == beit.RelPosNone && want.Width != 64*want.Heads {
			continue // without tables of positions heads of another width than 64 cannot be told from shapes: a run's file has a card
		}
		want.Classes, want.InitScale, want.LayerScale = 1000, 0, 0.1
		check := func(kind string, want beit.ViTConfig, declare func(s nn.Scope)) {
			set := nn.NewSet()
			declare(set.Scope())
			shapes := map[string][]int{}
			for _, p := range set.Params() {
				shapes[p.Name] = p.Shape
			}
			got, err := beit.InferBEiT(shapes)
			if err != nil {
				t.Errorf("%s %s: %v", name, kind, err)
			}
			if got.Hidden() != want.Hidden() {
				t.Errorf("%s %s: %d hidden units, want %d", name, kind, got.Hidden(), want.Hidden())
			}
			got.MLPRatio = want.MLPRatio
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %s: %s", name, kind, d)
			}
		}
		check("classifier", want, func(s nn.Scope) { beit.NewViT(s, want) })
		mim := want
		mim.RelPos, mim.MeanPool, mim.Classes = beit.RelPosShared, false, 0
		check("mim", mim, func(s nn.Scope) {
			beit.NewMIM(s, beit.MIMConfig{ViT: mim, Vocab: 8, Aggregation: beit.AggregationConfig{Layer: 2, Depth: 2}})
		})
	}
}
