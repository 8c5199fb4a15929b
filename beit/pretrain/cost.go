package pretrain

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of the backbone, whose targets are the codes of the preset's tokenizer.
func cost(c *config.Config) method.Cost {
	set := nn.NewSet()
	s := SectionOf(c)
	beit.NewMIM(set.Scope(), s.Model)
	predicted := s.Mask.Count
	if s.Visible > 0 || s.over() != beit.OverMasked {
		predicted = s.Model.ViT.Tokens()
	}
	if s.over() == beit.OverAllCLS {
		predicted++
	}
	images := method.ImageNet1k
	if TokenizerPreset(c.Preset) == c.Preset { // of our own
		images = method.OwnImages
	}
	codes := tokenizer.SectionOf(tokenizer.Method.Preset(TokenizerPreset(c.Preset))).Model.EncodeFLOPs()
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(s.Model.FLOPs(predicted, s.Mask.Count)) + codes, Images: images}
}
