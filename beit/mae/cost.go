package mae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of an encoder of the visible patches and a decoder of all.
func cost(c *config.Config) method.Cost {
	s := SectionOf(c)
	set := nn.NewSet()
	NewNetwork(set.Scope(), s.Model)
	images := method.OwnImages
	switch c.Preset {
	case "base", "large", "huge":
		images = method.ImageNet1k
	}
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(s.Model.flops(s.kept())), Images: images}
}

// flops is what a forward pass takes of an image of which so many patches are visible.
func (c NetworkConfig) flops(visible int) float64 {
	return c.BodyFLOPs(visible) + beit.LinearFLOPs(c.ViT.Tokens(), c.Decoder.Width, c.pixels())
}

// BodyFLOPs is flops without what predicts.
func (c NetworkConfig) BodyFLOPs(visible int) float64 {
	n, d := c.ViT.Tokens(), c.DecoderViT()
	encoder := beit.LinearFLOPs(visible, c.pixels(), c.ViT.Width) + c.ViT.BlockFLOPs(visible+1)
	decoder := beit.LinearFLOPs(visible+1, c.ViT.Width, d.Width) + d.BlockFLOPs(n+1)
	return encoder + decoder
}
