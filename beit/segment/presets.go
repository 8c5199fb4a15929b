package segment

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// presets are the authors' settings for ADE20K (beit2/semantic_segmentation/configs), after pretraining and after fine-tuning on ImageNet-21k, and
// small ones of our own, which have the names of the backbones that they go on from. Those show a window of several times the backbone's images.
var presets = map[string]func() *config.Config{
	"base":      func() *config.Config { return published("base_16_224", 5e-5, 0.75, 0.15) },
	"base_21k":  func() *config.Config { return published("base_16_224", 5e-5, 0.85, 0.15) },
	"large":     func() *config.Config { return published("large_16_224", 4e-5, 0.90, 0.2) },
	"large_21k": func() *config.Config { return published("large_16_224", 3e-5, 0.90, 0.2) },

	"tiny32":   func() *config.Config { return small("tiny32", 96, 64, 30).Short() },
	"mini32":   func() *config.Config { return small("mini32", 96, 64, 30).Short() },
	"small32":  func() *config.Config { return small("small32", 96, 64, 30) },
	"small64":  func() *config.Config { return small("small64", 128, 96, 60) },
	"small128": func() *config.Config { return small("small128", 256, 128, 60) },
	"small224": func() *config.Config { return small("small224", 256, 128, 60) },
}

// name is the method's, and the key of its section.
const name = "segment"

var spec = config.NewSpec(name, presets).InPaper("base")

// ade20k is how many images ADE20K has for training.
const ade20k = 20_210

// published is a recipe of 160,000 steps of 16 images, which are about 127 epochs of ADE20K. The checks and checkpoints of the authors' code come
// every 16,000 steps, about 13 epochs.
func published(vit string, lr, layerDecay, dropPath float64) *config.Config {
	v := beit.ViTPreset(vit)
	v.ImageSize, v.DropPath, v.MeanPool, v.InitScale = 512, dropPath, false, 0
	v.LayerScale = 0.1
	if vit == "large_16_224" {
		v.LayerScale = 1e-6
	}
	s := section(v, v.Width, 256)
	s.LayerDecay, s.Masks.ReduceZero = layerDecay, true
	c := config.New(name, s)
	const batch, steps = 16, 160_000
	c.Train = config.Train{
		Epochs: (steps + ade20k/batch - 1) / (ade20k / batch), Batch: batch, LR: lr, WarmupSteps: 1500, Poly: true, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
		Decay: 0.05, MinCropScale: 1, AccumulationSteps: 1, LRScaling: "none", LRBatch: batch,
	}
	c.Data.Eval.Batch = 1
	c.Log.EvalEvery, c.Log.CheckpointEpochs = 13, 13
	return c
}

// section is what all presets begin with.
func section(v beit.ViTConfig, channels, aux int) *Section {
	size := v.ImageSize
	return &Section{
		Norm: method.NormImageNet, LayerDecay: 1, AuxWeight: 0.4, LossMean: meanAll, ClassWeights: weightsNone,
		Masks:     Masks{Ignore: data.NoClass},
		Augment:   Augment{Long: 4 * size, Short: size, MinScale: 0.5, MaxScale: 2, MaxShare: 0.75, Flip: true, Distort: true},
		Inference: Inference{Mode: ModeSlide, Stride: 2 * size / 3},
		Model:     beit.SegmenterConfig{ViT: v, Head: beit.HeadUperNet, Taps: beit.TapsOfficial, HeadChannels: channels, AuxChannels: aux, Dropout: 0.1},
	}
}

// small is for hundreds of images on a CPU.
func small(vit string, image, channels, epochs int) *config.Config {
	v := beit.ViTPreset(vit)
	v.ImageSize, v.DropPath, v.MeanPool, v.InitScale = image, 0.1, false, 0
	s := section(v, channels, channels/2)
	s.LayerDecay, s.LossMean = 0.75, meanValid
	c := config.New(name, s)
	c.Train = config.Train{
		Epochs: epochs, Batch: 16, LR: 1e-3, WarmupEpochs: 1, Poly: true, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05, Clip: 3, MinCropScale: 1,
		AccumulationSteps: 1, LRScaling: "none", LRBatch: 16,
	}
	c.Precision, c.Data.ExifTranspose, c.Data.Eval.Batch = config.PrecisionAuto, true, 1
	return c
}
