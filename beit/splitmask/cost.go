package splitmask

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of an encoder of each half and a decoder of all patches for each, with the codes of the preset's tokenizer. InfoNCE is left out: it
// depends on the batch.
func cost(c *config.Config) method.Cost {
	s := SectionOf(c)
	set := nn.NewSet()
	NewNetwork(set.Scope(), s.Model)
	images := method.OwnImages
	if c.Preset == "base" {
		images = method.ImageNet1k
	}
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(s.Model.flops()) + pretrain.PresetLabelFLOPs(c), Images: images}
}

// flops is what a forward pass takes for an image.
func (c NetworkConfig) flops() float64 {
	n := c.ViT.Tokens()
	body := c.body()
	head := 2 * float64(n) * float64(c.Decoder.Width) * float64(c.Vocab)
	return body.BodyFLOPs(n/2) + body.BodyFLOPs(n-n/2) + head
}
