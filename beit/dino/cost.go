package dino

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of a student that sees all crops and of a teacher that sees the two large ones.
func cost(c *config.Config) method.Cost {
	set := nn.NewSet()
	s := SectionOf(c)
	beit.NewDINO(set.Scope(), s.Model.ViT)
	large, small := 2*s.Model.FLOPs(s.Model.ViT.ImageSize), float64(s.Crops.Small)*s.Model.FLOPs(s.Crops.SmallSize)
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(large+small) + large, Images: method.OwnImages}
}
