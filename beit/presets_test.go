package beit_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
)

// TestPublishedPretraining compares with the commands of beit2/PRETRAINING.md, written down apart from this code.
func TestPublishedPretraining(t *testing.T) {
	for _, c := range []struct {
		name                 string
		epochs               int
		width, depth, heads  int
		early                int
		layerScale, dropPath float64
		beta2                float64
	}{
		{"base_1600e", 1600, 768, 12, 12, 9, 0.1, 0.1, 0.999},
		{"base_300e", 300, 768, 12, 12, 9, 0.1, 0, 0.98},
		{"large_1600e", 1600, 1024, 24, 16, 21, 1e-5, 0.1, 0.999},
		{"large_300e", 300, 1024, 24, 16, 21, 1e-5, 0, 0.98},
	} {
		got, err := beit.MIMPreset(c.name)
		if err != nil {
			t.Fatal(err)
		}
		want := beit.MIMRecipe{
			Model: beit.MIMConfig{
				ViT: beit.ViTConfig{
					ImageSize: 224, PatchSize: 16, Channels: 3, Width: c.width, Depth: c.depth, Heads: c.heads, MLPRatio: 4, QKVBias: true,
					LayerScale: c.layerScale, RelPos: beit.RelPosShared, DropPath: c.dropPath,
					MeanPool: true, InitScale: 0.001, // of the classifier, unused here
				},
				Vocab: 8192, EarlyLayer: c.early, HeadLayers: 2, SharedHead: true,
			},
			Mask:      beit.MaskConfig{Rows: 14, Cols: 14, Count: 75, MinBlock: 16},
			Tokenizer: "vqkd_encoder_base_decoder_3x768x12_clip",
			Train: beit.Training{
				Epochs: c.epochs, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: c.beta2, Eps: 1e-8,
				Decay: 0.05, Clip: 3, MinCropScale: 0.2,
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestPublishedTokenizers compares with beit2/TOKENIZER.md: 8 x 64 pictures, and 5e-5 for each 128 of them.
func TestPublishedTokenizers(t *testing.T) {
	for _, c := range []struct {
		name      string
		depth     int
		teacher   string
		targetDim int
	}{
		{"vqkd_encoder_base_decoder_1x768x12_clip", 1, "clip", 512},
		{"vqkd_encoder_base_decoder_3x768x12_clip", 3, "clip", 512},
		{"vqkd_encoder_base_decoder_1x768x12_dino", 1, "dino", 768},
	} {
		got, err := beit.TokenizerPreset(c.name)
		if err != nil {
			t.Fatal(err)
		}
		encoder := beit.ViTConfig{
			ImageSize: 224, PatchSize: 16, Channels: 3, Width: 768, Depth: 12, Heads: 12, MLPRatio: 4, QKVBias: true, AbsPos: true,
			RelPos: beit.RelPosNone, MeanPool: true, InitScale: 0.001,
		}
		decoder := encoder
		decoder.ImageSize, decoder.PatchSize, decoder.Channels, decoder.Depth = 14, 1, 32, c.depth
		want := beit.TokenizerRecipe{
			Model: beit.VQKDConfig{
				Encoder: encoder, Decoder: decoder, Codes: 8192, CodeDim: 32, TargetDim: c.targetDim, Decay: 0.99, Beta: 1, KMeansInit: true,
			},
			Teacher: c.teacher,
			Train: beit.Training{
				Epochs: 100, Batch: 512, LR: 5e-5 * 512 / 128, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
				MinCropScale: 0.08,
			},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestSmallPresets holds the shapes and rates of our own presets, by which their figures in the README were made.
func TestSmallPresets(t *testing.T) {
	type shape struct{ Image, Patch, Width, Depth, Heads, Codes, CodeDim, Decoder, Masks, MinBlock, Early, Extra int }
	type rates struct{ LR, MinLR, Beta2, Decay, Clip float64 }
	for name, want := range map[string]shape{
		"small32":  {32, 4, 192, 6, 3, 512, 16, 1, 26, 5, 3, 1},
		"small64":  {64, 8, 256, 8, 4, 512, 16, 1, 26, 5, 5, 2},
		"small128": {128, 16, 384, 8, 6, 1024, 32, 1, 26, 5, 5, 2},
	} {
		tok, err := beit.TokenizerPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		mim, err := beit.MIMPreset(name)
		if err != nil {
			t.Fatal(err)
		}
		q, v, e := tok.Model, mim.Model.ViT, tok.Model.Encoder
		got := shape{
			v.ImageSize, v.PatchSize, v.Width, v.Depth, v.Heads, q.Codes, q.CodeDim, q.Decoder.Depth, mim.Mask.Count, mim.Mask.MinBlock,
			mim.Model.EarlyLayer, mim.Model.HeadLayers,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if e.Width != v.Width || e.Depth != v.Depth || e.Heads != v.Heads || e.ImageSize != v.ImageSize || e.PatchSize != v.PatchSize {
			t.Errorf("%s: encoder %+v, backbone %+v", name, e, v)
		}
		if v.LayerScale != 0.1 || v.DropPath != 0 || e.LayerScale != 0 || tok.Teacher != "hog" || !q.KMeansInit || !mim.Model.SharedHead {
			t.Errorf("%s: LayerScale %g and %g, drop path %g, teacher %s", name, v.LayerScale, e.LayerScale, v.DropPath, tok.Teacher)
		}
		for stage, c := range map[string]struct {
			train beit.Training
			want  rates
		}{
			"tokenizer":   {tok.Train, rates{1e-3, 1e-5, 0.99, 1e-4, 0}},
			"pretraining": {mim.Train, rates{1.5e-3, 1e-5, 0.98, 0.05, 3}},
		} {
			if diff := cmp.Diff(c.want, rates{c.train.LR, c.train.MinLR, c.train.Beta2, c.train.Decay, c.train.Clip}); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", name, stage, diff)
			}
			if c.train.Batch != 128 || c.train.WarmupEpochs != 1 || c.train.Beta1 != 0.9 || c.train.Eps != 1e-8 {
				t.Errorf("%s, %s: %+v", name, stage, c.train)
			}
		}
	}
}
