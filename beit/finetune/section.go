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
	Norm    string  `toml:"norm" help:"how pixels are normalised: imagenet, inception (to [-1, 1]), clip, or mean and standard deviation of red, green and blue, such as 0.5,0.5,0.5/0.25,0.25,0.25, or of each channel"`
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

// parseNorm is the normalisation of a name or of numbers: mean and standard deviation of red, green and blue, which other channels take in turn, or of
// each of so many channels. bands is nil unless raw is set, for images that keep the values of their files.
func parseNorm(text string, channels int, raw bool) (n data.Norm, bands *data.Bands, err error) {
	n, known := norms[text]
	if !known {
		if bands, err = parseNumbers(text); err != nil {
			return n, nil, err
		}
		if err := weights.CheckBands(bands); err != nil {
			return n, nil, err
		}
	}
	switch {
	case known || len(bands.Mean) == len(n.Mean):
		if !known {
			n = data.Norm{Mean: [3]float32(bands.Mean), Std: [3]float32(bands.Std)}
		}
		if bands = nil; raw {
			bands = data.BandsOf(n, channels)
		}
		return n, bands, nil
	case raw && len(bands.Mean) == channels:
		return data.Norm{}, bands, nil
	}
	return n, nil, fmt.Errorf("%q has %d means: wanted are 3, or one for each of %d channels", text, len(bands.Mean), channels)
}

// parseNumbers reads means and standard deviations, as many of each.
func parseNumbers(text string) (*data.Bands, error) {
	wrong := fmt.Errorf("%q is none of %s, nor mean and standard deviation such as 0.5,0.5,0.5/0.25,0.25,0.25", text, strings.Join(slices.Sorted(maps.Keys(norms)), ", "))
	mean, std, ok := strings.Cut(text, "/")
	if !ok {
		return nil, wrong
	}
	b := &data.Bands{}
	for _, part := range []struct {
		text string
		to   *[]float32
	}{{mean, &b.Mean}, {std, &b.Std}} {
		for number := range strings.SplitSeq(part.text, ",") {
			v, err := strconv.ParseFloat(strings.TrimSpace(number), 32)
			if err != nil {
				return nil, wrong
			}
			*part.to = append(*part.to, float32(v))
		}
	}
	if len(b.Mean) != len(b.Std) || len(b.Mean) > data.MaxChannels {
		return nil, wrong
	}
	return b, nil
}

// normalisation is the one of the section, none where Check refuses it.
func (s *Section) normalisation(c *config.Config) (data.Norm, *data.Bands) {
	n, bands, err := parseNorm(s.Norm, s.Model.Channels, c.Raw())
	if err != nil {
		return data.Norm{}, nil
	}
	return n, bands
}

// Channels implements config.Channeled.
func (s *Section) Channels() int { return s.Model.Channels }

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
	s.checkInput(c, k)
	k.Part("finetune.model", m.Check())
	height, width := m.Size()
	method.CheckPad(c, k, min(height, width))
}

// checkInput reports what is wrong with how the network sees images.
func (s *Section) checkInput(c *config.Config, k *config.Checker) {
	m := s.Model
	fits := m.Channels >= 1 && m.Channels <= data.MaxChannels
	k.Must(fits, "finetune.model.channels = %d: must be from 1 to %d", m.Channels, data.MaxChannels)
	if fits {
		_, _, err := parseNorm(s.Norm, m.Channels, c.Raw())
		k.Must(err == nil, "finetune.norm: %v", err)
	}
	k.Must(!s.clip() || m.Square() && !c.Raw(), "finetune.network = %q: sees squares of red, green and blue with 8 bits alone", s.Network)
	k.Must(!c.Raw() || s.RandMagnitude == 0 && c.Data.Jitter == 0,
		"finetune.model.channels = %d, data.keep_16_bits = %v: RandAugment and colour jitter need red, green and blue with 8 bits: set finetune.rand_magnitude and data.jitter to 0",
		m.Channels, c.Data.Keep16Bits)
}

// KeepsEpochs says whether the run starts from trained weights.
func (s *Section) KeepsEpochs(c *config.Config) bool { return c.InitFrom != "" }
