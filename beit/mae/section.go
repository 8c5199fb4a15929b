package mae

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Mask       MaskConfig    `toml:"mask"`
	NormPixels bool          `toml:"norm_pixels" help:"the pixels to predict are standardised, each patch by its own mean and deviation"`
	Model      NetworkConfig `toml:"model"`
}

// MaskConfig says which patches are masked.
type MaskConfig struct {
	Ratio float64 `toml:"ratio" range:"(0,1)" help:"part of an image's patches that are masked; the number that stays visible is rounded down"`
}

// SectionOf returns the section of a configuration of this method.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// kept is how many patches of an image stay visible.
func (s *Section) kept() int { return Kept(s.Model.ViT.Tokens(), s.Mask.Ratio) }

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	v, d := s.Model.ViT, s.Model.Decoder
	method.CheckViT(k, "mae.model.vit", v)
	k.Numbers("mae.model.decoder.width", d.Width, max(d.Width, v.Width, s.Model.pixels()))
	method.CheckViT(k, "mae.model.decoder", s.Model.DecoderViT())
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.Part("mae.model", s.Model.Check())
	k.Must(v == Shape(v), "mae.model.vit: encoders of MAE have abs_pos and qkv_bias, and no layer_scale, rel_pos, mean_pool, classes or init_scale")
	method.CheckRGB(c, k, "mae.model.vit", v)
	method.CheckPad(c, k, v.ImageSize)
	if k.OK() {
		n, kept := v.Tokens(), s.kept()
		k.Must(kept >= 1 && kept < n, "mae.mask.ratio = %g: leaves %d of %d patches visible: must leave one, and mask one", s.Mask.Ratio, kept, n)
	}
}
