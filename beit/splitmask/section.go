package splitmask

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Tokenizer string         `toml:"tokenizer" path:"model" resume:"free" help:"file or run folder of the tokenizer"`
	Contrast  ContrastConfig `toml:"contrast"`
	Model     NetworkConfig  `toml:"model"`
}

// ContrastConfig is the configuration of InfoNCE.
type ContrastConfig struct {
	Weight      float64 `toml:"weight" range:"[0,)" help:"of InfoNCE in the loss; 0: halves are no pairs"`
	Temperature float64 `toml:"temperature" range:"[0.001,1]" help:"divides cosine similarities in InfoNCE"`
}

// SectionOf returns the section of a configuration of this method.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// shown is how many patches the first half has.
func (s *Section) shown() int { return s.Model.ViT.Tokens() / 2 }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	v, body := s.Model.ViT, s.Model.body()
	method.CheckViT(k, "splitmask.model.vit", v)
	k.Numbers("splitmask.model.decoder.width", body.Decoder.Width, max(body.Decoder.Width, v.Width, s.Model.Vocab))
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.Part("splitmask.model", s.Model.Check())
	k.Must(v == Shape(v), "splitmask.model.vit: encoders of this method have abs_pos and qkv_bias, and no layer_scale, rel_pos, mean_pool, classes or init_scale")
	s.checkPairs(c, k)
	method.CheckRGB(c, k, "splitmask.model.vit", v)
	method.CheckPad(c, k, v.ImageSize)
	if k.OK() {
		method.CheckViT(k, "splitmask.model.decoder", body.DecoderViT())
		k.Must(v.Tokens() >= 2, "splitmask.model.vit: %d patches: must be at least 2, for two halves", v.Tokens())
	}
}

// checkPairs refuses batches of one image: InfoNCE, which tells an image from the others, would be 0 whatever the network does.
func (s *Section) checkPairs(c *config.Config, k *config.Checker) {
	if s.Contrast.Weight == 0 {
		return
	}
	t := c.Train
	k.Must(t.Batch != t.AccumulationSteps,
		"train.batch = %d, train.accumulation_steps = %d: a micro-batch of one image has no others for InfoNCE: have a batch of at least %d, or set splitmask.contrast.weight=0",
		t.Batch, t.AccumulationSteps, 2*t.AccumulationSteps)
	k.Must(c.Data.Eval.Batch != 1, "data.eval.batch = 1: one image has no others for InfoNCE: must be at least 2, or set splitmask.contrast.weight=0")
}
