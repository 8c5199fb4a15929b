package cae

import (
	"math"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/weights"
)

// Section is the part of the configuration that only this method has.
type Section struct {
	Target    string        `toml:"target" help:"which codes the decoder predicts, as package target lists them"`
	Tokenizer string        `toml:"tokenizer" path:"model" resume:"free" help:"file or run folder of the tokenizer"`
	Mask      MaskConfig    `toml:"mask"`
	Model     NetworkConfig `toml:"model"`
}

// MaskConfig says which patches are masked, by blocks.
type MaskConfig struct {
	Ratio    float64 `toml:"ratio" range:"(0,1)" help:"part of an image's patches that are masked; their number is rounded to the nearest"`
	MinBlock int     `toml:"min_block" range:"[1,)" help:"smallest area of a rectangle of masked patches"`
}

// SectionOf returns the section of a configuration of this method.
func SectionOf(c *config.Config) *Section { return c.Section.(*Section) }

// blocks is the masking of the network's grid.
func (s *Section) blocks() beit.MaskConfig {
	rows, cols := s.Model.ViT.GridSize()
	return beit.MaskConfig{Rows: rows, Cols: cols, Count: int(math.Round(s.Mask.Ratio * float64(rows*cols))), MinBlock: s.Mask.MinBlock}
}

// targets are the kinds of targets that are codes of a tokenizer of ours alone.
func targets() (names []string) {
	for _, k := range target.Kinds {
		if k.Codes && !k.NeedsTeacher && k.Tokenizer == weights.Tokenizer {
			names = append(names, k.Name)
		}
	}
	return names
}

// Check reports what is wrong beyond the limits in the tags.
func (s *Section) Check(c *config.Config, k *config.Checker) {
	m := s.Model
	method.CheckViT(k, "cae.model.vit", m.ViT)
	k.Numbers("cae.model.vocab", m.Vocab, m.Neck.Width)
	method.CheckViT(k, "cae.model.neck.regressor_depth", m.neck(m.Neck.RegressorDepth))
	method.CheckViT(k, "cae.model.neck.decoder_depth", m.neck(m.Neck.DecoderDepth))
	k.OneOf("data.augment", c.Data.Augment, config.AugmentCrop, config.AugmentPad, config.AugmentNone)
	k.OneOf("cae.target", s.Target, targets()...)
	k.Part("cae.model", m.Check())
	k.Must(m.ViT == Shape(m.ViT), "cae.model.vit: encoders of CAE have abs_pos and qkv_bias, and no rel_pos, mean_pool, classes or init_scale")
	method.CheckRGB(c, k, "cae.model.vit", m.ViT)
	method.CheckPad(c, k, m.ViT.ImageSize)
	if k.OK() {
		n, masked := m.ViT.Tokens(), s.blocks().Count
		k.Must(masked >= 1 && masked < n, "cae.mask.ratio = %g: masks %d of %d patches: must mask one, and leave one visible", s.Mask.Ratio, masked, n)
	}
}
