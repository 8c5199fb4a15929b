package finetune

import (
	"slices"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of the network; its head counts where the classes are known.
func cost(c *config.Config) method.Cost {
	set := nn.NewSet()
	newNetwork(set.Scope(), SectionOf(c))
	images := method.ImageNet1k
	switch {
	case slices.Contains(beit.ViTPresets(), c.Preset): // of our own
		images = method.OwnImages
	case strings.HasSuffix(c.Preset, "_to_21k"):
		images = method.ImageNet21k
	}
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(SectionOf(c).Model.FLOPs()), Images: images}
}
