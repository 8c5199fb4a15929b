package finetune

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Network string  `toml:"network" oneof:"vit clip openclip" help:"vit; clip: CLIP's image tower; openclip: that with GELU, as OpenCLIP trains it"`
	Norm    string  `toml:"norm" help:"how pixels are normalised: imagenet, inception (to [-1, 1]), clip, or mean and standard deviation of red, green and blue, such as 0.5,0.5,0.5/0.25,0.25,0.25"`
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
	networkViT      = "vit"
	networkCLIP     = "clip"
	networkOpenCLIP = "openclip"
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

// normText is the name of a normalisation, or its numbers, as the key norm has them.
func normText(n data.Norm) string {
	if name, ok := normOf(n); ok {
		return name
	}
	three := func(v [3]float32) string { return fmt.Sprintf("%v,%v,%v", v[0], v[1], v[2]) }
	return three(n.Mean) + "/" + three(n.Std)
}

// parseNorm is the normalisation of a name or of six numbers.
func parseNorm(text string) (data.Norm, error) {
	if n, ok := norms[text]; ok {
		return n, nil
	}
	wrong := fmt.Errorf("%q is none of %s, nor mean and standard deviation such as 0.5,0.5,0.5/0.25,0.25,0.25", text, strings.Join(slices.Sorted(maps.Keys(norms)), ", "))
	mean, std, ok := strings.Cut(text, "/")
	if !ok {
		return data.Norm{}, wrong
	}
	var n data.Norm
	for _, part := range []struct {
		text string
		to   *[3]float32
	}{{mean, &n.Mean}, {std, &n.Std}} {
		numbers := strings.Split(part.text, ",")
		if len(numbers) != len(part.to) {
			return data.Norm{}, wrong
		}
		for i, number := range numbers {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 32)
			if err != nil {
				return data.Norm{}, wrong
			}
			part.to[i] = float32(v)
		}
	}
	return n, weights.CheckNorm(n)
}

// normalisation is the one of the section; none where Check refuses it.
func (s *Section) normalisation() data.Norm {
	n, err := parseNorm(s.Norm)
	if err != nil {
		return data.Norm{}
	}
	return n
}

// clip reports whether the network is CLIP's image tower, of either kind.
func (s *Section) clip() bool { return s.Network == networkCLIP || s.Network == networkOpenCLIP }

// SectionOf returns the section of a classifier's configuration.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "finetune.model", m)
	k.Numbers("finetune.model.classes", m.Classes, m.Width)
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	_, err := parseNorm(s.Norm)
	k.Must(err == nil, "finetune.norm: %v", err)
	k.Part("finetune.model", m.Check())
	method.CheckPad(c, k, m.ImageSize)
}

// KeepsEpochs says whether the run starts from trained weights.
func (s *Section) KeepsEpochs(c *config.Config) bool { return c.InitFrom != "" }
