package finetune

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
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

// normalisation is the one of the section, none where Check refuses it.
func (s *Section) normalisation(c *config.Config) (data.Norm, *data.Bands) {
	n, bands, err := method.ParseBands(s.Norm, s.Model.Channels, c.Raw())
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
	method.CheckChannels(c, k, "finetune.model", m, "finetune.norm", s.Norm)
	k.Must(!s.clip() || m.Square() && !c.Raw(), "finetune.network = %q: sees squares of red, green and blue with 8 bits alone", s.Network)
	k.Must(!c.Raw() || s.RandMagnitude == 0 && c.Data.Jitter == 0,
		"finetune.model.channels = %d, data.keep_16_bits = %v: RandAugment and colour jitter need red, green and blue with 8 bits: set finetune.rand_magnitude and data.jitter to 0",
		m.Channels, c.Data.Keep16Bits)
}

// KeepsEpochs says whether the run starts from trained weights.
func (s *Section) KeepsEpochs(c *config.Config) bool { return c.InitFrom != "" }
