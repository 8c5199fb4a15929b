package pretrain

import (
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of the backbone, whose targets are the codes of the preset's tokenizer, or of DALL-E's encoder.
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
	if TokenizerPreset(c.Preset) == strings.TrimSuffix(c.Preset, suffixBEiT1) { // of our own
		images = method.OwnImages
	}
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(s.Model.FLOPs(predicted, s.Mask.Count)) + labelFLOPs(c, predicted), Images: images}
}

// labelFLOPs is what the labels of an image take in an epoch, of so many patches that are predicted. Those of DALL-E's encoder are made once where they
// are kept; without a tokenizer, pixels are compared with as many centroids as there are codes.
func labelFLOPs(c *config.Config, predicted int) float64 {
	s := SectionOf(c)
	switch kind, _ := target.Find(s.Target); kind.Tokenizer {
	case "":
		return beit.LinearFLOPs(predicted, beit.PixelTeacher{Patch: s.Model.ViT.PatchSize}.Dim(), s.Model.Vocab)
	case weights.DALLE:
		flops := beit.PublishedDALLE.FLOPs(views(c)[1].Size)
		if keepsCodes(c) {
			flops /= float64(max(c.Train.Epochs, 1))
		}
		return flops
	}
	return PresetLabelFLOPs(c)
}

// LabelFLOPs is what a tokenizer of a configuration takes for the labels of an image in a run of c, of this method or of another one with a tokenizer: codes,
// or the features of its teacher.
func LabelFLOPs(c, tok *config.Config) float64 {
	s := tokenizer.SectionOf(tok)
	if own, ok := c.Section.(*Section); ok {
		if kind, _ := target.Find(own.Target); kind.NeedsTeacher {
			return s.TeacherFLOPs()
		}
	}
	return s.Model.EncodeFLOPs()
}

// PresetLabelFLOPs is LabelFLOPs with the tokenizer that c's preset is for.
func PresetLabelFLOPs(c *config.Config) float64 {
	return LabelFLOPs(c, tokenizer.Method.Preset(TokenizerPreset(c.Preset)))
}
