package finetune

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of the network; its head counts where the classes are known.
func cost(c *config.Config) method.Cost {
	set := nn.NewSet()
	newNetwork(set.Scope(), SectionOf(c))
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(SectionOf(c).Model.FLOPs())}
}
