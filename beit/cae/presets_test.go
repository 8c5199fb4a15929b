package cae

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TestPublishedPresets compares with the authors' scripts for 1600 epochs, written down apart from this code.
func TestPublishedPresets(t *testing.T) {
	for name, c := range map[string]struct {
		width, depth, heads int
		scale               float64
		glorot              bool
	}{
		"base": {768, 12, 12, 0.1, true}, "large": {1024, 24, 16, 1e-5, false},
	} {
		got := Method.Preset(name)
		want := Section{
			Target: "codes", Mask: MaskConfig{Ratio: 0.5, MinBlock: 16},
			Model: NetworkConfig{
				ViT: beit.ViTConfig{
					ImageSize: 224, PatchSize: 16, Channels: 3, Width: c.width, Depth: c.depth, Heads: c.heads, MLPRatio: 4, QKVBias: true,
					LayerScale: c.scale, AbsPos: true, RelPos: beit.RelPosNone, DropPath: 0.1,
				},
				Neck:  NeckConfig{Width: c.width, Heads: c.heads, RegressorDepth: 4, DecoderDepth: 4, LayerScale: c.scale},
				Vocab: 8192, Glorot: c.glorot,
			},
		}
		if d := cmp.Diff(want, *SectionOf(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if blocks := SectionOf(got).blocks(); blocks != (beit.MaskConfig{Rows: 14, Cols: 14, Count: 98, MinBlock: 16}) {
			t.Errorf("%s: masks %+v", name, blocks)
		}
		train := config.Train{
			Epochs: 1600, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 40, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05, Clip: 3,
			MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "none", LRBatch: 2048,
		}
		if d := cmp.Diff(train, got.Train); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if got.Data.Augment != config.AugmentCrop || got.Data.Jitter != 0 || got.Data.Eval.Whole {
			t.Errorf("%s: images are shown as %+v", name, got.Data)
		}
	}
}

// What a forward pass is said to take is what a device counts, with a neck of the encoder's width and of another.
func TestFLOPs(t *testing.T) {
	for _, width := range []int{128, 64} {
		dev := tensor.NewPlanner()
		c := SectionOf(Method.Preset("mini32")).Model
		c.Neck.Width = width
		set := nn.NewSet()
		m, teacher := NewNetwork(set.Scope(), c), NewTeacher(set.Scope(), c)
		set.Build(dev, 1, nn.Training)
		defer set.Release()
		n := c.ViT.Tokens()
		mask := make([]bool, n)
		for i := range 24 {
			mask[2*i] = true
		}
		before := dev.Work()
		ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
		m.Forward(ctx, teacher, ctx.Tape.Own(tensor.New(dev, 1, 3, 32, 32)), NewMasks(mask, n), beit.GivenCodes(make([]int32, n)))
		trained, targets := c.flops(24)
		if counts := dev.Work() - before; trained+targets != counts {
			t.Errorf("width %d: %g operations, the device counts %g", width, trained+targets, counts)
		}
	}
}
