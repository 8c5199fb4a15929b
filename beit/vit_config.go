package beit

import (
	"cmp"
	"errors"
	"fmt"
	"math"
)

// RelPos says which blocks have a relative position bias table.
type RelPos string

// The kinds of relative position bias.
const (
	RelPosNone   RelPos = "none"
	RelPosBlock  RelPos = "block"  // a table in every block, as in fine-tuning
	RelPosShared RelPos = "shared" // one table for all blocks, as in pretraining
)

// ViTConfig is the configuration of a vision transformer: a classifier, the encoder or decoder of a tokenizer, or the backbone of a MIM
// model.
type ViTConfig struct {
	ImageSize  int     `toml:"image_size" help:"side of the square image, in pixels; or height and width, as \"224x448\" or [224, 448], which sets image_width too"`
	ImageWidth int     `toml:"image_width" absent:"0" help:"width of the image, where image_size is its height alone; 0: it is square"`
	PatchSize  int     `toml:"patch_size" help:"side of a patch, in pixels; divides the sides of the image"`
	Channels   int     `toml:"channels" help:"of an image; 3: red, green, blue"`
	Width      int     `toml:"width" help:"of a token"`
	Depth      int     `toml:"depth" help:"number of transformer blocks"`
	Heads      int     `toml:"heads" help:"of attention; divides width"`
	MLPRatio   float64 `toml:"mlp_ratio" help:"width inside the MLPs over width"`
	QKVBias    bool    `toml:"qkv_bias" help:"biases of queries and values"`
	LayerScale float64 `toml:"layer_scale" help:"initial value of LayerScale; 0 or less: none"`
	AbsPos     bool    `toml:"abs_pos" help:"learned absolute position embedding"`
	RelPos     RelPos  `toml:"rel_pos" help:"relative position bias: none, block (a table in every block) or shared (one for all blocks); empty: none"`
	MeanPool   bool    `toml:"mean_pool" help:"the head sees the mean of the patch tokens; else the class token"`
	Classes    int     `toml:"classes" help:"outputs of the head; 0: no head"`
	DropPath   float64 `toml:"drop_path" help:"rate of stochastic depth in the last block; it rises from 0 in the first"`
	InitScale  float64 `toml:"init_scale" help:"factor on the head's initial weights; 0: 1"`
}

// Size returns the height and width of the image.
func (c ViTConfig) Size() (height, width int) { return c.ImageSize, cmp.Or(c.ImageWidth, c.ImageSize) }

// Square reports whether the image is a square.
func (c ViTConfig) Square() bool { return c.ImageWidth == 0 || c.ImageWidth == c.ImageSize }

// Grid is the number of patches along a side of a square image. It panics for another: GridSize is for both.
func (c ViTConfig) Grid() int {
	if !c.Square() {
		panic(fmt.Sprintf("beit: Grid: images of [%d %d] are no squares", c.ImageSize, c.ImageWidth))
	}
	return c.ImageSize / c.PatchSize
}

// GridSize returns the rows and columns of patches.
func (c ViTConfig) GridSize() (rows, cols int) {
	height, width := c.Size()
	return height / c.PatchSize, width / c.PatchSize
}

// Tokens is the number N of patches, without the class token.
func (c ViTConfig) Tokens() int {
	rows, cols := c.GridSize()
	return rows * cols
}

// Hidden is the width of the hidden layer of the MLPs.
func (c ViTConfig) Hidden() int { return int(float64(c.Width) * c.MLPRatio) }

// layerNormEps is the epsilon of every layer norm in BEiT.
const layerNormEps = 1e-6

// dropPath returns the drop path rate of block i = 0, 1, … of n. It rises linearly from 0 in the first block to rate in the last.
func dropPath(rate float64, i, n int) float64 {
	if n < 2 {
		return 0
	}
	return rate * float64(i) / float64(n-1)
}

// Check returns an error that names the wrong keys, or nil.
func (c ViTConfig) Check() error {
	var errs []error
	positive := func(key string, v int) {
		if v < 1 {
			errs = append(errs, fmt.Errorf("%s = %d: must be at least 1", key, v))
		}
	}
	positive("image_size", c.ImageSize)
	positive("patch_size", c.PatchSize)
	positive("channels", c.Channels)
	positive("width", c.Width)
	positive("depth", c.Depth)
	positive("heads", c.Heads)
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.ImageSize%c.PatchSize != 0, "image_size = %d: must be a multiple of patch_size = %d", c.ImageSize, c.PatchSize)
	bad(c.ImageWidth < 0 || c.ImageWidth%c.PatchSize != 0, "image_width = %d: must be a multiple of patch_size = %d, or 0", c.ImageWidth, c.PatchSize)
	bad(c.Width%c.Heads != 0, "width = %d: must be a multiple of heads = %d", c.Width, c.Heads)
	bad(c.Hidden() < 1 || math.IsNaN(c.MLPRatio) || c.MLPRatio > 1024, "mlp_ratio = %g: must give at least one hidden unit", c.MLPRatio)
	bad(c.Classes < 0, "classes = %d: must not be negative", c.Classes)
	bad(!(c.DropPath >= 0 && c.DropPath < 1), "drop_path = %g: must be in [0, 1)", c.DropPath)
	switch c.RelPos {
	case "", RelPosNone, RelPosBlock, RelPosShared:
	default:
		bad(true, `rel_pos = %q: must be "none", "block" or "shared"`, c.RelPos)
	}
	return errors.Join(errs...)
}
