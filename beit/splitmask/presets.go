package splitmask

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/mae"
)

// presets are all our own: base has the size, the epochs and the decoder's depth of the paper's comparison, and the optimiser of BEiT's recipes.
var presets = map[string]func() *config.Config{
	"base": base,

	"tiny32": func() *config.Config {
		return small("tiny32", 256, mae.DecoderConfig{Width: 64, Depth: 2, Heads: 2}, 10).Short()
	},
	"mini32": func() *config.Config {
		return small("mini32", 512, mae.DecoderConfig{Width: 64, Depth: 2, Heads: 2}, 10).Short()
	},
	"small32": func() *config.Config {
		return small("small32", 512, mae.DecoderConfig{Width: 96, Depth: 2, Heads: 3}, 10)
	},
	"small64": func() *config.Config {
		return small("small64", 512, mae.DecoderConfig{Width: 128, Depth: 2, Heads: 4}, 100)
	},
	"small128": func() *config.Config {
		return small("small128", 1024, mae.DecoderConfig{Width: 192, Depth: 2, Heads: 6}, 100)
	},
	"small224": func() *config.Config {
		return small("small224", 1024, mae.DecoderConfig{Width: 192, Depth: 2, Heads: 6}, 100)
	},
}

// name is the method's, and the key of its section.
const name = "splitmask"

var spec = config.NewSpec(name, presets)

// preset makes a recipe of a network.
func preset(vit string, vocab int, d mae.DecoderConfig) *config.Config {
	c := config.New(name, &Section{
		Contrast: ContrastConfig{Weight: 1, Temperature: 0.2},
		Model:    NetworkConfig{ViT: Shape(beit.ViTPreset(vit)), Decoder: d, Vocab: vocab},
	})
	c.Train = config.Train{
		Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05, Clip: 3, MinLR: 1e-5, LR: 1.5e-3, MinCropScale: 0.2, AccumulationSteps: 1,
	}
	return c
}

func base() *config.Config {
	c := preset("base_16_224", 8192, mae.DecoderConfig{Width: 512, Depth: 2, Heads: 16})
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.LRScaling, t.LRBatch = 300, 10, 2048, "none", 2048
	return c
}

func small(vit string, vocab int, d mae.DecoderConfig, epochs int) *config.Config {
	c := preset(vit, vocab, d)
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.LRScaling, t.LRBatch = epochs, 1, 128, "sqrt", 128
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if SectionOf(c).Model.ViT.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}
