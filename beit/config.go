package beit

import (
	"errors"
	"fmt"
	"math"
)

// RelPos says where a model's relative position tables are.
type RelPos string

// The places of relative position tables.
const (
	RelPosNone   RelPos = "none"
	RelPosBlock  RelPos = "block"  // one in every block, as in fine-tuning
	RelPosShared RelPos = "shared" // one for all blocks, as in pretraining
)

// ViTConfig describes a vision transformer: a classifier, an encoder of tokens, or the backbone of a MIM model.
type ViTConfig struct {
	ImageSize  int     `toml:"image_size"`
	PatchSize  int     `toml:"patch_size"`
	Channels   int     `toml:"channels"`
	Width      int     `toml:"width"`
	Depth      int     `toml:"depth"`
	Heads      int     `toml:"heads"`
	MLPRatio   float64 `toml:"mlp_ratio"`
	QKVBias    bool    `toml:"qkv_bias"`
	LayerScale float64 `toml:"layer_scale"` // initial value; 0 or less: none
	AbsPos     bool    `toml:"abs_pos"`
	RelPos     RelPos  `toml:"rel_pos"` // empty means "none"
	MeanPool   bool    `toml:"mean_pool"`
	Classes    int     `toml:"classes"` // 0: no head
	DropPath   float64 `toml:"drop_path"`
	InitScale  float64 `toml:"init_scale"` // factor on the head's initial weights; 0 means 1
}

// Grid is the number of patches along a side.
func (c ViTConfig) Grid() int { return c.ImageSize / c.PatchSize }

// Tokens is the number N of patches; the class token is not counted.
func (c ViTConfig) Tokens() int { return c.Grid() * c.Grid() }

// Hidden is the width inside the MLPs.
func (c ViTConfig) Hidden() int { return int(float64(c.Width) * c.MLPRatio) }

// layerNormEps is that of every layer norm in BEiT.
const layerNormEps = 1e-6

// dropPath is the rate of stochastic depth of block i = 0, 1, … when the last of n blocks has rate.
func dropPath(rate float64, i, n int) float64 {
	if n < 2 {
		return 0
	}
	return rate * float64(i) / float64(n-1)
}

// Check says what is wrong with the config, naming the keys.
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
