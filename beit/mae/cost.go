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
	return c.BodyFLOPs(visible) + linear(c.ViT.Tokens(), c.Decoder.Width, c.pixels())
}

// BodyFLOPs is flops without what predicts.
func (c NetworkConfig) BodyFLOPs(visible int) float64 {
	n, d := c.ViT.Tokens(), c.DecoderViT()
	encoder := linear(visible, c.pixels(), c.ViT.Width) + blocks(c.ViT, visible+1)
	decoder := linear(visible+1, c.ViT.Width, d.Width) + blocks(d, n+1)
	return encoder + decoder
}

// blocks is what the blocks of a vision transformer take for so many tokens.
func blocks(v beit.ViTConfig, tokens int) float64 {
	attention := 2 * linear(tokens, v.Width, tokens)
	return float64(v.Depth) * (linear(tokens, v.Width, 4*v.Width) + attention + 2*linear(tokens, v.Width, v.Hidden()))
}

// linear is what a linear layer takes for rows of a width, or a matmul.
func linear(rows, in, out int) float64 { return 2 * float64(rows) * float64(in) * float64(out) }
