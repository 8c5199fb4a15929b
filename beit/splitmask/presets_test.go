package splitmask

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Each small preset fits the tokenizer of the same name. Of the paper are the size, the epochs and the decoder's depth of base.
func TestPresets(t *testing.T) {
	for _, preset := range Method.Presets {
		c := Method.Preset(preset)
		if err := c.Check(); err != nil {
			t.Errorf("%s: %v", preset, err)
		}
		m, tok := SectionOf(c).Model, tokenizer.SectionOf(tokenizer.Method.Preset(pretrain.TokenizerPreset(preset))).Model
		if m.Vocab != tok.Codes || m.ViT.ImageSize != tok.Encoder.ImageSize || m.ViT.Grid() != tok.Encoder.Grid() {
			t.Errorf("%s: %+v for tokenizer %+v", preset, m, tok)
		}
	}
	base := Method.Preset("base")
	if s := SectionOf(base); s.Model.ViT.Width != 768 || s.Model.ViT.Depth != 12 || s.Model.Decoder.Depth != 2 || base.Train.Epochs != 300 || s.Contrast.Weight != 1 {
		t.Errorf("base: %+v", s)
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
	m.Forward(ctx, ctx.Tape.Own(tensor.New(dev, 1, 3, 32, 32)), mae.ByNoise(make([]float64, n), n, n/2), beit.GivenCodes(make([]int32, n)), ContrastConfig{})
	if says, counts := c.flops(), dev.Work()-before; says != counts {
		t.Errorf("%g operations, the device counts %g", says, counts)
	}
}

func TestParameters(t *testing.T) {
	set := nn.NewSet()
	NewNetwork(set.Scope(), SectionOf(Method.Preset("base")).Model)
	// Encoder 85_647_360 with final norm, as MAE's; decoder: 768·512+512, mask token 512, two blocks of 3_152_384, norm 1024; head 512·8192+8192.
	const want = 85_647_360 + 393_728 + 512 + 2*3_152_384 + 1024 + 4_202_496
	if d := cmp.Diff(want, set.Count()); d != "" {
		t.Errorf("parameters (-want +got):\n%s", d)
	}
}
