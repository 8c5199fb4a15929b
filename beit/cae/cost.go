package cae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/nn"
)

// cost is that of encoder, regressor and decoder, of a forward pass of the encoder's copy, and of the codes of the preset's tokenizer.
func cost(c *config.Config) method.Cost {
	s := SectionOf(c)
	set := nn.NewSet()
	NewNetwork(set.Scope(), s.Model)
	images := method.OwnImages
	switch c.Preset {
	case "base", "large":
		images = method.ImageNet1k
	}
	trained, copied := s.Model.flops(s.blocks().Count)
	return method.Cost{Parameters: set.Count(), FLOPs: method.TrainingFLOPs(trained) + copied + pretrain.PresetLabelFLOPs(c), Images: images}
}

// flops is what a forward pass takes of an image of which so many patches are masked: of the parts that are trained, and of the targets without
// gradients.
func (c NetworkConfig) flops(masked int) (trained, targets float64) {
	n, d := c.ViT.Tokens(), c.Neck.Width
	encode := func(patches int) float64 {
		f := beit.LinearFLOPs(patches, c.pixels(), c.ViT.Width) + c.ViT.BlockFLOPs(patches+1)
		if d != c.ViT.Width {
			f += beit.LinearFLOPs(patches, c.ViT.Width, d)
		}
		return f
	}
	hidden := c.neck(1).Hidden()
	regressor := beit.LinearFLOPs(masked, d, 2*d) + beit.LinearFLOPs(n, d, 2*d) + 2*beit.LinearFLOPs(masked, d, n) + 2*beit.LinearFLOPs(masked, d, hidden)
	decoder := c.neck(c.Neck.DecoderDepth).BlockFLOPs(masked) + beit.LinearFLOPs(masked, d, c.Vocab)
	return encode(n-masked) + float64(c.Neck.RegressorDepth)*regressor + decoder, encode(masked)
}
