package pretrain_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
)

func section(preset string) *pretrain.Section {
	return pretrain.SectionOf(pretrain.Method.Preset(preset))
}

// TestPublishedPresets compares with the commands of beit2/PRETRAINING.md, written down apart from this code.
func TestPublishedPresets(t *testing.T) {
	for _, c := range []struct {
		name                 string
		epochs               int
		width, depth, heads  int
		layer                int
		layerScale, dropPath float64
		beta2                float64
	}{
		{"base_1600e", 1600, 768, 12, 12, 9, 0.1, 0.1, 0.999},
		{"base_300e", 300, 768, 12, 12, 9, 0.1, 0, 0.98},
		{"large_1600e", 1600, 1024, 24, 16, 21, 1e-5, 0.1, 0.999},
		{"large_300e", 300, 1024, 24, 16, 21, 1e-5, 0, 0.98},
	} {
		got := pretrain.Method.Preset(c.name)
		want := pretrain.Section{
			Target: "codes", FeatureLoss: "masked",
			Model: beit.MIMConfig{
				ViT: beit.ViTConfig{
					ImageSize: 224, PatchSize: 16, Channels: 3, Width: c.width, Depth: c.depth, Heads: c.heads, MLPRatio: 4, QKVBias: true,
					LayerScale: c.layerScale, RelPos: beit.RelPosShared, DropPath: c.dropPath,
					MeanPool: true, InitScale: 0.001, // of the classifier, unused here
				},
				Vocab: 8192, Aggregation: beit.AggregationConfig{Layer: c.layer, Depth: 2, SharedHead: true},
			},
			Mask: beit.MaskConfig{Rows: 14, Cols: 14, Count: 75, MinBlock: 16},
		}
		if diff := cmp.Diff(want, *pretrain.SectionOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		train := config.Train{
			Epochs: c.epochs, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: c.beta2, Eps: 1e-8,
			Decay: 0.05, Clip: 3, MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "none", LRBatch: 2048,
		}
		if diff := cmp.Diff(train, got.Train); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got.Data.Augment != "crop" || got.Data.Jitter != 0.4 || got.Data.Eval.Whole {
			t.Errorf("%s: images are shown as %+v", c.name, got.Data)
		}
		if tok := pretrain.TokenizerPreset(c.name); tok != "vqkd_encoder_base_decoder_3x768x12_clip" {
			t.Errorf("%s: its tokenizer is %s", c.name, tok)
		}
	}
}

// TestSmallPresets holds the shapes and rates of our own presets, by which their figures in the README were made.
func TestSmallPresets(t *testing.T) {
	type shape struct{ Image, Patch, Width, Depth, Heads, Vocab, Masks, MinBlock, Layer, Extra int }
	for name, want := range map[string]shape{
		"small32":  {32, 4, 192, 6, 3, 512, 26, 5, 3, 1},
		"small64":  {64, 8, 256, 8, 4, 512, 26, 5, 5, 2},
		"small128": {128, 16, 384, 8, 6, 1024, 26, 5, 5, 2},
	} {
		c, s := pretrain.Method.Preset(name), section(name)
		v, a := s.Model.ViT, s.Model.Aggregation
		got := shape{v.ImageSize, v.PatchSize, v.Width, v.Depth, v.Heads, s.Model.Vocab, s.Mask.Count, s.Mask.MinBlock, a.Layer, a.Depth}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if v.LayerScale != 0.1 || v.DropPath != 0 || !a.SharedHead {
			t.Errorf("%s: LayerScale %g, drop path %g, shared head %v", name, v.LayerScale, v.DropPath, a.SharedHead)
		}
		train := config.Train{
			Epochs: c.Train.Epochs, Batch: 128, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05,
			Clip: 3, MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "sqrt", LRBatch: 128,
		}
		if diff := cmp.Diff(train, c.Train); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestPresetsFitTheirTokenizers holds that a tokenizer's preset has the images, patches and codes of the preset that it labels for.
func TestPresetsFitTheirTokenizers(t *testing.T) {
	for _, name := range pretrain.Method.Presets {
		m, q := section(name).Model, tokenizer.SectionOf(tokenizer.Method.Preset(pretrain.TokenizerPreset(name))).Model
		if q.Codes != m.Vocab {
			t.Errorf("%s: vocab %d, its tokenizer has %d codes", name, m.Vocab, q.Codes)
		}
		if e, v := q.Encoder, m.ViT; section(name).FromTokenizer &&
			(e.Width != v.Width || e.Depth != v.Depth || e.Heads != v.Heads || e.ImageSize != v.ImageSize || e.PatchSize != v.PatchSize) {
			t.Errorf("%s: encoder %+v, backbone %+v", name, e, v)
		}
	}
}

func TestUnknownPreset(t *testing.T) {
	_, err := config.Configure(pretrain.Method.Spec, "smal32", "", nil, nil)
	if err == nil || !strings.Contains(err.Error(), `did you mean "small32"`) {
		t.Errorf("error is %v", err)
	}
}

// With images of another size as large a part of the patches is masked, unless a number is given. Published numbers stay with published sizes.
func TestMaskFollowsImageSize(t *testing.T) {
	for _, c := range []struct {
		preset, set        string
		grid, count, least int
	}{
		{"base_300e", "", 14, 75, 16},
		{"base_300e", "pretrain.model.vit.image_size=224", 14, 75, 16},
		{"base_300e", "pretrain.model.vit.image_size=384", 24, 230, 47},
		{"small32", "pretrain.model.vit.image_size=64", 16, 102, 21},
		{"small32", "pretrain.model.vit.image_size=64 pretrain.mask.count=50", 16, 50, 21},
	} {
		cfg, _, err := pretrain.Method.Configure(c.preset, "", strings.Fields(c.set), nil)
		if err != nil {
			t.Fatal(err)
		}
		if m := pretrain.SectionOf(cfg).Mask; m.Rows != c.grid || m.Cols != c.grid || m.Count != c.count || m.MinBlock != c.least {
			t.Errorf("%s %s: %+v", c.preset, c.set, m)
		}
	}
}

// The numbers of this test and the next two were worked out from the authors' definitions (microsoft/unilm, beit2), apart from this code.
func TestParameterCounts(t *testing.T) {
	for name, want := range map[string]int{
		"base_plain": 91_965_776, "base_300e": 106_143_056,
		"24x544_plain": 90_309_216, "24x544": 97_426_912,
		"large_plain": 311_534_016, "large_1600e": 336_728_512,
		"huge_plain": 640_987_456,
	} {
		set := nn.NewSet()
		beit.NewMIM(set.Scope(), section(name).Model)
		if got := set.Count(); got != want {
			t.Errorf("%s: %d parameters, want %d", name, got, want)
		}
	}
}

func TestDropPathRates(t *testing.T) {
	m := beit.NewMIM(nn.NewSet().Scope(), section("base_1600e").Model)
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 5e-5 {
			t.Errorf("%s: rate %.4f, want %.4f", what, got, want)
		}
	}
	near("block 1", m.Blocks[0].DropPath, 0)
	near("block 7", m.Blocks[6].DropPath, 0.0545)
	near("block 12", m.Blocks[11].DropPath, 0.1)
	near("aggregation 1", m.AggregationBlocks[0].DropPath, 0.0818)
	near("aggregation 2", m.AggregationBlocks[1].DropPath, 0.0909)
}

// TestPublishedSchedule is the 300-epoch recipe on ImageNet-1k, 625 steps an epoch.
func TestPublishedSchedule(t *testing.T) {
	r := pretrain.Method.Preset("base_300e")
	const epoch = 625
	c := optim.Cosine{Peak: r.Train.LR, Min: r.Train.MinLR, Warmup: r.Train.WarmupEpochs * epoch, Total: r.Train.Epochs * epoch}
	for step, want := range map[int]float64{0: 0, 6249: 1.5e-3, 6250: 1.5e-3} {
		if got := c.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("step %d: rate %g, want %g", step, got, want)
		}
	}
	if got := c.At(c.Total - 1); got <= 1e-5 || got > 1.0001e-5 {
		t.Errorf("last step: rate %g, want just above 1e-5", got)
	}
}
