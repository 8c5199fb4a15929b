package mae

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// TestPublishedPresets compares with the authors' PRETRAIN.md and models_mae.py, written down apart from this code.
func TestPublishedPresets(t *testing.T) {
	for name, c := range map[string]struct{ patch, width, depth, heads int }{
		"base": {16, 768, 12, 12}, "large": {16, 1024, 24, 16}, "huge": {14, 1280, 32, 16},
	} {
		got := Method.Preset(name)
		want := Section{
			Mask: MaskConfig{Ratio: 0.75}, NormPixels: true,
			Model: NetworkConfig{
				ViT: beit.ViTConfig{
					ImageSize: 224, PatchSize: c.patch, Channels: 3, Width: c.width, Depth: c.depth, Heads: c.heads, MLPRatio: 4, QKVBias: true,
					AbsPos: true, RelPos: beit.RelPosNone,
				},
				Decoder: DecoderConfig{Width: 512, Depth: 8, Heads: 16},
			},
		}
		if d := cmp.Diff(want, *SectionOf(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		train := config.Train{
			Epochs: 1600, Batch: 4096, LR: 1.5e-4, WarmupEpochs: 40, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Decay: 0.05, MinCropScale: 0.2,
			AccumulationSteps: 1, LRScaling: "linear", LRBatch: 256, WarmupOffset: true,
		}
		if d := cmp.Diff(train, got.Train); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
		if peak := got.Train.LR * got.Train.LRFactor(); peak < 2.4e-3-1e-12 || peak > 2.4e-3+1e-12 {
			t.Errorf("%s: peak learning rate %g, want 2.4e-3", name, peak)
		}
		if got.Data.Augment != config.AugmentCrop || got.Data.Jitter != 0 || got.Data.Eval.Whole {
			t.Errorf("%s: images are shown as %+v", name, got.Data)
		}
	}
}

// What a forward pass is said to take is what a device counts.
func TestFLOPs(t *testing.T) {
	dev := tensor.NewPlanner()
	c := SectionOf(Method.Preset("mini32")).Model
	set := nn.NewSet()
	m := NewNetwork(set.Scope(), c)
	set.Build(dev, 1, nn.Training)
	defer set.Release()
	n := c.ViT.Tokens()
	before := dev.Work()
	ctx := nn.Context{Tape: autograd.NewTape(dev), Train: true, Seed: 1}
	m.Forward(ctx, ctx.Tape.Own(tensor.New(dev, 1, 3, 32, 32)), ByNoise(make([]float64, n), n, 16), true)
	if says, counts := c.flops(16), dev.Work()-before; says != counts {
		t.Errorf("%g operations, the device counts %g", says, counts)
	}
}
