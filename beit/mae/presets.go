package mae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
)

// presets are the recipes of the authors' PRETRAIN.md, with the 1600 epochs of their released models, and small ones of our own, of the sizes that
// package pretrain has.
var presets = map[string]func() *config.Config{
	"base":  func() *config.Config { return published("base_16_224") },
	"large": func() *config.Config { return published("large_16_224") },
	"huge":  func() *config.Config { return published("huge_14_224") },

	"tiny32": func() *config.Config {
		return small("tiny32", DecoderConfig{Width: 64, Depth: 2, Heads: 2}, 10).Short()
	},
	"mini32": func() *config.Config {
		return small("mini32", DecoderConfig{Width: 64, Depth: 2, Heads: 2}, 10).Short()
	},
	"small32":  func() *config.Config { return small("small32", DecoderConfig{Width: 96, Depth: 2, Heads: 3}, 10) },
	"small64":  func() *config.Config { return small("small64", DecoderConfig{Width: 128, Depth: 4, Heads: 4}, 100) },
	"small128": func() *config.Config { return small("small128", DecoderConfig{Width: 192, Depth: 4, Heads: 6}, 100) },
	"small224": func() *config.Config { return small("small224", DecoderConfig{Width: 192, Depth: 4, Heads: 6}, 100) },
}

// name is the method's, and the key of its section.
const name = "mae"

var spec = config.NewSpec(name, presets).InPaper("base")

// preset makes a recipe of a network, with the masks and the optimiser of the authors.
func preset(vit string, d DecoderConfig) *config.Config {
	c := config.New(name, &Section{Mask: MaskConfig{Ratio: 0.75}, NormPixels: true, Model: NetworkConfig{ViT: Shape(beit.ViTPreset(vit)), Decoder: d}})
	c.Train = config.Train{
		Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Decay: 0.05, MinCropScale: 0.2, AccumulationSteps: 1,
	}
	return c
}

// published is the recipe of a published size. Its learning rate is that of 256 images and grows with the batch.
func published(vit string) *config.Config {
	c := preset(vit, DecoderConfig{Width: 512, Depth: 8, Heads: 16})
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.LR = 1600, 40, 4096, 1.5e-4
	t.LRScaling, t.LRBatch, t.WarmupOffset = "linear", 256, true
	return c
}

func small(vit string, d DecoderConfig, epochs int) *config.Config {
	c := preset(vit, d)
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.LR, t.MinLR = epochs, 1, 128, 1.5e-3, 1e-5
	t.LRScaling, t.LRBatch = "sqrt", 128
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if SectionOf(c).Model.ViT.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}
