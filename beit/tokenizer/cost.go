package tokenizer

import (
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of encoder and decoder, with the teacher's features. A perceptual loss looks through a network of the encoder's size, twice forward and once
// backward to the pixels.
func cost(c *config.Config) method.Cost {
	set := nn.NewSet()
	s := SectionOf(c)
	beit.NewVQKD(set.Scope(), s.Model)
	flops := method.TrainingFLOPs(s.Model.EncodeFLOPs()+s.Model.DecodeFLOPs()) + s.TeacherFLOPs()
	if s.Perceptual > 0 {
		flops += 3 * s.Model.Encoder.FLOPs()
	}
	images := method.OwnImages
	if strings.HasPrefix(c.Preset, "vqkd_") || c.Preset == "base_peco" {
		images = method.ImageNet1k
	}
	return method.Cost{Parameters: set.Count(), FLOPs: flops, Images: images}
}

// TeacherFLOPs is what the features of a published teacher take for an image: both are a ViT-B/16. HOG takes no matmul, and the size of a run is not known
// beforehand.
func (s *Section) TeacherFLOPs() float64 {
	if s.Teacher == teacherCLIP || s.Teacher == teacherDINO {
		return beit.ViTPreset("base_16_224").FLOPs()
	}
	return 0
}
