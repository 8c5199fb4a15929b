package finetune

import (
	"maps"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Network string  `toml:"network" oneof:"vit clip" help:"vit, or clip: CLIP's image tower"`
	Norm    string  `toml:"norm" help:"how pixels are normalised: imagenet, inception (to [-1, 1]) or clip"`
	EMA     float64 `toml:"ema" range:"[0,1)" help:"decay of the moving average of weights that becomes the model, such as 0.9999; 0: none"`

	LayerDecay    float64        `toml:"layer_decay" range:"(0,1]" help:"of the learning rate from a block to the one below; 1: none"`
	Smoothing     float64        `toml:"smoothing" range:"[0,1)" help:"of labels"`
	Mixup         float64        `toml:"mixup" range:"[0,)" help:"parameters of Beta distributions; 0: off"`
	Cutmix        float64        `toml:"cutmix" range:"[0,)" help:"as mixup"`
	RandMagnitude float64        `toml:"rand_magnitude" range:"[0,10]" help:"of RandAugment; 0: none"`
	RandOps       int            `toml:"rand_ops" range:"[0,)" help:"RandAugment's operations on an image"`
	Erase         float64        `toml:"erase" range:"[0,1]" help:"probability that a rectangle is erased"`
	Model         beit.ViTConfig `toml:"model"`
}

// Networks that can be fine-tuned.
const (
	networkViT  = "vit"
	networkCLIP = "clip"
)

// Names of normalisations.
const (
	normImageNet  = "imagenet"
	normInception = "inception"
	normCLIP      = "clip"
)

var norms = map[string]data.Norm{
	normImageNet: data.ImageNet, normInception: data.Inception, normCLIP: {Mean: beit.CLIPMean, Std: beit.CLIPStd},
}

// normOf is the name of a normalisation.
func normOf(n data.Norm) (string, bool) {
	for name, norm := range norms {
		if norm == n {
			return name, true
		}
	}
	return "", false
}

// SectionOf returns the section of a classifier's configuration.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "finetune.model", m)
	k.Numbers("finetune.model.classes", m.Classes, m.Width)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.OneOf("finetune.norm", s.Norm, slices.Sorted(maps.Keys(norms))...)
	k.Part("finetune.model", m.Check())
	method.CheckPad(c, k, m.ImageSize)
}
