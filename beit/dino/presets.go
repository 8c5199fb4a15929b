package dino

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
)

// presets are small recipes of our own; temperatures, center and weight decay are those of facebookresearch/dino.
var presets = map[string]func() *config.Config{
	"small32": func() *config.Config {
		return small("small32", 1024, 20, CropConfig{Small: 4, SmallSize: 16, Split: 0.4})
	},
	"small64": func() *config.Config {
		return small("small64", 2048, 50, CropConfig{Small: 4, SmallSize: 32, Split: 0.4})
	},
	"small128": func() *config.Config {
		return small("small128", 4096, 50, CropConfig{Small: 6, SmallSize: 64, Split: 0.4})
	},
}

// name is the method's, and the key of its section.
const name = "dino"

var spec = config.NewSpec(name, presets)

func small(vit string, outputs, epochs int, crops CropConfig) *config.Config {
	c := config.New(name, &Section{
		Model: beit.DistillConfig{
			ViT: beit.DINOShape(beit.ViTPreset(vit)), Hidden: 512, Bottleneck: 128, Outputs: outputs, StudentTemp: 0.1, TeacherTemp: 0.04,
			StartTemp: 0.04, Momentum: 0.99, CenterDecay: 0.9,
		},
		Crops: crops, FreezeLastLayerEpochs: 1,
	})
	c.Precision, c.Data.ExifTranspose = config.PrecisionAuto, true
	if vit == "small32" {
		c.ShowSmall()
	}
	c.Data.Augment, c.Data.Jitter, c.Data.Reduce = config.AugmentMulti, 0.4, true
	c.Train = config.Train{
		Epochs: epochs, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.04, Clip: 3,
		MinCropScale: 0.1, AccumulationSteps: 1, LRScaling: "sqrt", LRBatch: 128,
	}
	return c
}
