package finetune

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// presets are the settings of the authors' beit2/get_started_for_image_classification.md at 224² by the pretraining that went before, those for
// ImageNet-21k ("base_to_21k", "large_to_21k"), those of facebookresearch/mae's FINETUNE.md for its models, that of lxtGH/CAE for its base model, and small ones of our own.
var presets = map[string]func() *config.Config{
	"base_1600e":   func() *config.Config { return published("base_16_224", 5e-4, 100, 20, 0.60, 0.2, true) },
	"base_300e":    func() *config.Config { return published("base_16_224", 5e-4, 100, 20, 0.65, 0.1, true) },
	"base_21k":     func() *config.Config { return published("base_16_224", 5e-5, 30, 20, 0.75, 0.1, false) },
	"large_1600e":  func() *config.Config { return published("large_16_224", 2e-4, 50, 5, 0.80, 0.2, true) },
	"large_300e":   func() *config.Config { return published("large_16_224", 5e-4, 50, 5, 0.80, 0.2, true) },
	"large_21k":    func() *config.Config { return published("large_16_224", 7e-5, 20, 5, 0.80, 0.25, false) },
	"base_to_21k":  func() *config.Config { return intermediate("base_16_224", 0.1) },
	"large_to_21k": func() *config.Config { return intermediate("large_16_224", 0.2) },

	"base_mae":  func() *config.Config { return afterMAE("base_16_224", 5e-4, 100, 0.65, 0.1) },
	"large_mae": func() *config.Config { return afterMAE("large_16_224", 1e-3, 50, 0.75, 0.2) },
	"huge_mae":  func() *config.Config { return afterMAE("huge_14_224", 1e-3, 50, 0.75, 0.3) },

	"base_cae": afterCAE,

	"tiny32":   func() *config.Config { return small("tiny32", 20).Short() },
	"mini32":   func() *config.Config { return small("mini32", 20).Short() },
	"small32":  func() *config.Config { return small("small32", 20) },
	"small64":  func() *config.Config { return small("small64", 50) },
	"small128": func() *config.Config { return small("small128", 50) },
	"small224": func() *config.Config { return small("small224", 50) },
}

// name is the method's, and the key of its section.
const name = "finetune"

var spec = config.NewSpec(name, presets).InPaper("base_1600e")

func published(vit string, lr float64, epochs, warmup int, layerDecay, dropPath float64, mix bool) *config.Config {
	s := &Section{
		Network: networkViT, Norm: method.NormImageNet, Model: beit.ViTPreset(vit),
		LayerDecay: layerDecay, Smoothing: 0.1, RandMagnitude: 9, RandOps: 2, Erase: 0.25,
	}
	s.Model.DropPath = dropPath
	if mix {
		s.Mixup, s.Cutmix = 0.8, 1
	}
	c := config.New(name, s)
	c.Data.Jitter = 0.4
	c.Train = config.Train{
		Epochs: epochs, Batch: 1024, LR: lr, MinLR: 1e-6, WarmupEpochs: warmup, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
		Decay: 0.05, MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "none", LRBatch: 1024,
	}
	return c
}

// intermediate is fine-tuning on ImageNet-21k between pretraining and ImageNet-1k.
func intermediate(vit string, dropPath float64) *config.Config {
	c := published(vit, 6e-4, 90, 20, 0.75, dropPath, true)
	c.Train.Batch, c.Train.LRBatch = 4096, 4096
	return c
}

// afterMAE is fine-tuning of a masked autoencoder's encoder, which has absolute positions and no LayerScale. The learning rate is that of 256 images
// and grows with the batch.
func afterMAE(vit string, lr float64, epochs int, layerDecay, dropPath float64) *config.Config {
	c := published(vit, lr, epochs, 5, layerDecay, dropPath, true)
	c.Train.LRScaling, c.Train.LRBatch, c.Train.WarmupOffset = "linear", 256, true
	m := &SectionOf(c).Model
	m.LayerScale, m.RelPos, m.AbsPos = 0, beit.RelPosNone, true
	return c
}

// afterCAE is fine-tuning of a context autoencoder's encoder. It has absolute positions, and gets a table of relative ones in each block.
func afterCAE() *config.Config {
	c := published("base_16_224", 8e-3, 100, 5, 0.65, 0.1, true)
	c.Train.Batch, c.Train.LRBatch = 4096, 4096
	SectionOf(c).Model.AbsPos = true
	return c
}

// small is for thousands of small images and few epochs, for which the published distortions are too strong.
func small(vit string, epochs int) *config.Config {
	c := published(vit, 1e-3, epochs, 2, 0.75, 0.1, false)
	c.Train.Batch, c.Train.LRBatch, c.Train.MinCropScale, c.Train.LRScaling = 128, 128, 0.2, "sqrt"
	s := SectionOf(c)
	s.RandMagnitude, s.RandOps, s.Erase = 5, 1, 0
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if s.Model.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}
