package method

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
)

// CheckViT refuses the sizes of a vision transformer that no machine holds. table is its key.
func CheckViT(k *config.Checker, table string, v beit.ViTConfig) {
	if v.PatchSize > 0 {
		rows, cols := v.GridSize()
		k.Must(v.Tokens() <= config.MostPatches, "%s: %d x %d patches: must be at most %d", table, rows, cols, config.MostPatches)
		k.Numbers(table+".patch_size", v.PatchSize*v.PatchSize*v.Channels, v.Width)
	}
	k.Must(v.Depth <= config.MostBlocks, "%s: %d blocks: must be at most %d", table, v.Depth, config.MostBlocks)
	blocks := float64(v.Depth) * float64(v.Width) * float64(v.Width) * (4 + 2*v.MLPRatio)
	k.Must(blocks <= config.MostNumbers, "%s: %d blocks of width %d have %.3g parameters: no machine holds them", table, v.Depth, v.Width, blocks)
}

// CheckSquare refuses images that are no squares.
func CheckSquare(c *config.Config, k *config.Checker, table string, v beit.ViTConfig) {
	k.Must(v.Square(), "%s.image_size = %dx%d: method %s takes squares alone; beit finetune takes others", table, v.ImageSize, v.ImageWidth, c.Method)
}

// CheckRGB refuses images that a method does not learn from: those that are no squares, or not red, green and blue with 8 bits each. table is the key of
// the network.
func CheckRGB(c *config.Config, k *config.Checker, table string, v beit.ViTConfig) {
	CheckSquare(c, k, table, v)
	k.Must(v.Channels == 3, "%s.channels = %d: method %s takes red, green and blue alone; beit finetune and beit segment train take other channels", table, v.Channels, c.Method)
	k.Must(!c.Data.Keep16Bits, "data.keep_16_bits: method %s takes 8 bits alone; beit finetune and beit segment train keep 16", c.Method)
}

// CheckChannels refuses a number of channels that no image has, and a normalisation that does not fit it. table is the key of the network, norm that of the
// section, whose text is normText.
func CheckChannels(c *config.Config, k *config.Checker, table string, v beit.ViTConfig, norm, normText string) {
	if v.Channels < 1 || v.Channels > data.MaxChannels {
		k.Must(false, "%s.channels = %d: must be from 1 to %d", table, v.Channels, data.MaxChannels)
		return
	}
	_, _, err := ParseBands(normText, v.Channels, c.Raw())
	k.Must(err == nil, "%s: %v", norm, err)
}

// CheckPad refuses a padding that leaves no pixel of the image in a crop.
func CheckPad(c *config.Config, k *config.Checker, size int) {
	if c.Data.Augment == config.AugmentPad && k.OK() {
		k.Must(c.Data.Pad < size, "data.pad = %d: must be below the image's side %d", c.Data.Pad, size)
	}
}
