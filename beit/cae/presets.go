package cae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/target"
)

// presets are the recipes of the authors' scripts (lxtGH/CAE), with the 1600 epochs of their best models, and small ones of our own, of the sizes that
// package pretrain has. For 300 or 800 epochs the authors' train.warmup_epochs is 10 or 20.
var presets = map[string]func() *config.Config{
	"base":  func() *config.Config { return published("base_16_224", true) },
	"large": func() *config.Config { return published("large_16_224", false) },

	"tiny32":   func() *config.Config { return small("tiny32", 256, 10).Short() },
	"mini32":   func() *config.Config { return small("mini32", 512, 10).Short() },
	"small32":  func() *config.Config { return small("small32", 512, 10) },
	"small64":  func() *config.Config { return small("small64", 512, 100) },
	"small128": func() *config.Config { return small("small128", 1024, 100) },
	"small224": func() *config.Config { return small("small224", 1024, 100) },
}

// name is the method's, and the key of its section.
const name = "cae"

var spec = config.NewSpec(name, presets).InPaper("base")

// preset makes a recipe of a network whose neck is as wide as its encoder, with the masks and the optimiser of the authors.
func preset(vit string, vocab, neckDepth int) *config.Config {
	v := Shape(beit.ViTPreset(vit))
	c := config.New(name, &Section{
		Target: target.Kinds[0].Name, Mask: MaskConfig{Ratio: 0.5, MinBlock: max(4, 16*v.Tokens()/196)},
		Model: NetworkConfig{
			ViT: v, Vocab: vocab, Glorot: true,
			Neck: NeckConfig{Width: v.Width, Heads: v.Heads, RegressorDepth: neckDepth, DecoderDepth: neckDepth, LayerScale: v.LayerScale},
		},
	})
	c.Train = config.Train{
		MinLR: 1e-5, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05, Clip: 3, LR: 1.5e-3, AccumulationSteps: 1,
	}
	return c
}

func published(vit string, glorot bool) *config.Config {
	c := preset(vit, 8192, 4)
	m := &SectionOf(c).Model
	m.Glorot, m.ViT.DropPath = glorot, 0.1
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.MinCropScale = 1600, 40, 2048, 0.08
	t.LRScaling, t.LRBatch = "none", 2048
	return c
}

func small(vit string, vocab, epochs int) *config.Config {
	c := preset(vit, vocab, 2)
	t := &c.Train
	t.Epochs, t.WarmupEpochs, t.Batch, t.MinCropScale = epochs, 1, 128, 0.2
	t.LRScaling, t.LRBatch = "sqrt", 128
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if SectionOf(c).Model.ViT.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}
