package segment

import (
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// unknownClasses stands for the number of classes where it is not known yet.
const unknownClasses = 20

// cost is that of the network.
func cost(c *config.Config) method.Cost {
	s := SectionOf(c)
	m := s.Model
	images := method.OwnImages / 10
	if !strings.Contains(c.Preset, "32") && !strings.HasPrefix(c.Preset, "small") {
		images = ade20k
	}
	if m.Classes == 0 {
		m.Classes = unknownClasses
	}
	set := nn.NewSet()
	beit.NewSegmenter(set.Scope(), m, s.FreezeBackbone)
	flops := method.TrainingFLOPs(m.FLOPs())
	if s.FreezeBackbone {
		flops = m.ViT.FLOPs() + method.TrainingFLOPs(m.FLOPs()-m.ViT.FLOPs())
	}
	return method.Cost{Parameters: set.Count(), FLOPs: flops, Images: images}
}
