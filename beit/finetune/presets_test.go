package finetune_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
)

// TestPublishedPresets compares with the commands of beit2/get_started_for_image_classification.md, written down apart from this code.
func TestPublishedPresets(t *testing.T) {
	base := beit.ViTConfig{
		ImageSize: 224, PatchSize: 16, Channels: 3, Width: 768, Depth: 12, Heads: 12, MLPRatio: 4, QKVBias: true,
		LayerScale: 0.1, RelPos: beit.RelPosBlock, MeanPool: true, InitScale: 0.001,
	}
	large := base
	large.Width, large.Depth, large.Heads, large.LayerScale = 1024, 24, 16, 1e-5
	for _, c := range []struct {
		name                 string
		model                beit.ViTConfig
		batch                int
		lr                   float64
		epochs, warmup       int
		layerDecay, dropPath float64
		mixup, cutmix        float64
	}{
		{"base_1600e", base, 1024, 5e-4, 100, 20, 0.60, 0.2, 0.8, 1},
		{"base_300e", base, 1024, 5e-4, 100, 20, 0.65, 0.1, 0.8, 1},
		{"base_21k", base, 1024, 5e-5, 30, 20, 0.75, 0.1, 0, 0},
		{"large_1600e", large, 1024, 2e-4, 50, 5, 0.80, 0.2, 0.8, 1},
		{"large_300e", large, 1024, 5e-4, 50, 5, 0.80, 0.2, 0.8, 1},
		{"large_21k", large, 1024, 7e-5, 20, 5, 0.80, 0.25, 0, 0},
		{"base_to_21k", base, 4096, 6e-4, 90, 20, 0.75, 0.1, 0.8, 1},
		{"large_to_21k", large, 4096, 6e-4, 90, 20, 0.75, 0.2, 0.8, 1},
	} {
		got := finetune.Method.Preset(c.name)
		c.model.DropPath = c.dropPath
		want := finetune.Section{
			Network: "vit", Norm: "imagenet", LayerDecay: c.layerDecay, Smoothing: 0.1, Mixup: c.mixup, Cutmix: c.cutmix,
			RandMagnitude: 9, RandOps: 2, Erase: 0.25, Model: c.model,
		}
		if diff := cmp.Diff(want, *finetune.SectionOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		train := config.Train{
			Epochs: c.epochs, Batch: c.batch, LR: c.lr, MinLR: 1e-6, WarmupEpochs: c.warmup, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
			Decay: 0.05, MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "none", LRBatch: c.batch,
		}
		if diff := cmp.Diff(train, got.Train); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestPresetsAfterMAE compares with facebookresearch/mae's FINETUNE.md and main_finetune.py, written down apart from this code.
func TestPresetsAfterMAE(t *testing.T) {
	for name, c := range map[string]struct {
		patch, width, depth, heads int
		lr                         float64 // of 1024 images
		epochs                     int
		layerDecay, dropPath       float64
	}{
		"base_mae":  {16, 768, 12, 12, 2e-3, 100, 0.65, 0.1},
		"large_mae": {16, 1024, 24, 16, 4e-3, 50, 0.75, 0.2},
		"huge_mae":  {14, 1280, 32, 16, 4e-3, 50, 0.75, 0.3},
	} {
		got := finetune.Method.Preset(name)
		want := finetune.Section{
			Network: "vit", Norm: "imagenet", LayerDecay: c.layerDecay, Smoothing: 0.1, Mixup: 0.8, Cutmix: 1, RandMagnitude: 9, RandOps: 2, Erase: 0.25,
			Model: beit.ViTConfig{
				ImageSize: 224, PatchSize: c.patch, Channels: 3, Width: c.width, Depth: c.depth, Heads: c.heads, MLPRatio: 4, QKVBias: true,
				AbsPos: true, RelPos: beit.RelPosNone, MeanPool: true, InitScale: 0.001, DropPath: c.dropPath,
			},
		}
		if d := cmp.Diff(want, *finetune.SectionOf(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		train := got.Train
		if peak := train.LR * train.LRFactor(); peak < c.lr-1e-12 || peak > c.lr+1e-12 {
			t.Errorf("%s: peak learning rate %g, want %g", name, peak, c.lr)
		}
		train.LR = 0
		if d := cmp.Diff(config.Train{
			Epochs: c.epochs, Batch: 1024, MinLR: 1e-6, WarmupEpochs: 5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05, MinCropScale: 0.08,
			AccumulationSteps: 1, LRScaling: "linear", LRBatch: 256, WarmupOffset: true,
		}, train); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestPresetAfterCAE compares with the authors' script for their base model (lxtGH/CAE), written down apart from this code.
func TestPresetAfterCAE(t *testing.T) {
	got := finetune.Method.Preset("base_cae")
	want := finetune.Section{
		Network: "vit", Norm: "imagenet", LayerDecay: 0.65, Smoothing: 0.1, Mixup: 0.8, Cutmix: 1, RandMagnitude: 9, RandOps: 2, Erase: 0.25,
		Model: beit.ViTConfig{
			ImageSize: 224, PatchSize: 16, Channels: 3, Width: 768, Depth: 12, Heads: 12, MLPRatio: 4, QKVBias: true, LayerScale: 0.1,
			AbsPos: true, RelPos: beit.RelPosBlock, MeanPool: true, InitScale: 0.001, DropPath: 0.1,
		},
	}
	if d := cmp.Diff(want, *finetune.SectionOf(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(config.Train{
		Epochs: 100, Batch: 4096, LR: 8e-3, MinLR: 1e-6, WarmupEpochs: 5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05, MinCropScale: 0.08,
		AccumulationSteps: 1, LRScaling: "none", LRBatch: 4096,
	}, got.Train); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestUnknownPreset(t *testing.T) {
	_, err := config.Configure(finetune.Method.Spec, "large_22k", "", nil, nil)
	if err == nil || !strings.Contains(err.Error(), `did you mean "large_21k"`) {
		t.Errorf("error is %v", err)
	}
}
