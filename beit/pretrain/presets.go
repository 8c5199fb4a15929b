package pretrain

import (
	"math"
	"strings"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/tensor"
)

// presets are the recipes of the authors' beit2/PRETRAINING.md, those of beit/README.md for BEiT v1, and small ones of our own. The plain models, 24x544
// and huge have no published recipe: they take the settings of the base or large one, and our rule for masks (MaskFor) where the grid differs.
var presets = map[string]func() *config.Config{
	"base_1600e":  func() *config.Config { return published("base_16_224", 9, 1600) },
	"base_300e":   func() *config.Config { return published("base_16_224", 9, 300) },
	"large_1600e": func() *config.Config { return published("large_16_224", 21, 1600) },
	"large_300e":  func() *config.Config { return published("large_16_224", 21, 300) },
	"24x544":      func() *config.Config { return published("24x544_16_224", 21, 300) },

	"base_plain":     func() *config.Config { return published("base_16_224", 0, 300) },
	"base_192_plain": func() *config.Config { return published("base_16_192", 0, 300) },
	"base_256_plain": func() *config.Config { return published("base_16_256", 0, 300) },
	"24x544_plain":   func() *config.Config { return published("24x544_16_224", 0, 300) },
	"large_plain":    func() *config.Config { return published("large_16_224", 0, 300) },
	"huge_plain":     func() *config.Config { return published("huge_14_224", 0, 300) },

	"base_beit1":     func() *config.Config { return beit1("base_16_224") },
	"large_beit1":    func() *config.Config { return beit1("large_16_224") },
	"small32_beit1":  func() *config.Config { return plain(small("small32", 512, 0, 0, 10)) },
	"small64_beit1":  func() *config.Config { return plain(small("small64", 512, 0, 0, 100)) },
	"small128_beit1": func() *config.Config { return plain(small("small128", 1024, 0, 0, 100)) },
	"small224_beit1": func() *config.Config { return plain(small("small224", 1024, 0, 0, 100)) },

	"tiny32":               func() *config.Config { return small("tiny32", 256, 2, 1, 10).Short() },
	"mini32":               func() *config.Config { return small("mini32", 512, 2, 1, 10).Short() },
	"small32":              func() *config.Config { return small("small32", 512, 3, 1, 10) },
	"small64":              func() *config.Config { return small("small64", 512, 5, 2, 100) },
	"small128":             func() *config.Config { return small("small128", 1024, 5, 2, 100) },
	"small224":             func() *config.Config { return small("small224", 1024, 5, 2, 100) },
	config.ReferencePreset: reference,
}

// name is the method's, and the key of its section.
const name = "pretrain"

var spec = config.NewSpec(name, presets).InPaper("base_1600e")

// TokenizerPreset is the preset of the tokenizer that makes the targets of a preset of this package.
func TokenizerPreset(preset string) string {
	switch preset = strings.TrimSuffix(preset, suffixBEiT1); preset {
	case "tiny32", "mini32", "small32", "small64", "small128", "small224", config.ReferencePreset:
		return preset
	}
	return "vqkd_encoder_base_decoder_3x768x12_clip"
}

// published makes a recipe with two aggregation blocks fed from block layer, or none when layer is 0.
func published(vit string, layer, epochs int) *config.Config {
	v := beit.ViTPreset(vit)
	v.RelPos = beit.RelPosShared
	s := &Section{
		Target: target.Kinds[0].Name, FeatureLoss: overMasked, Mask: MaskFor(v.Grid()),
		Model: beit.MIMConfig{ViT: v, Vocab: 8192, Aggregation: beit.AggregationConfig{SharedHead: true}},
	}
	c := config.New(name, s)
	c.Data.Jitter = 0.4
	c.Train = config.Train{
		Epochs: epochs, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05,
		Clip: 3, MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "none", LRBatch: 2048,
	}
	if layer > 0 {
		s.Model.Aggregation.Layer, s.Model.Aggregation.Depth = layer, 2
	}
	if epochs == 1600 {
		c.Train.Beta2 = 0.999
		s.Model.ViT.DropPath = 0.1
	}
	if v.Grid() == 14 {
		s.Mask.Count = 75
	}
	return c
}

// suffixBEiT1 ends the names of presets of BEiT v1.
const suffixBEiT1 = "_beit1"

// beit1 is the recipe of BEiT v1 (arXiv 2106.08254) for ImageNet-1k: codes of DALL-E's encoder, no patch aggregation.
func beit1(vit string) *config.Config {
	c := published(vit, 0, 800)
	c.Train.Beta2, c.Train.MinCropScale = 0.999, 0.08
	s := SectionOf(c)
	s.Target, s.Model.ViT.DropPath = target.DALLE, 0.1
	return c
}

// plain makes of a small preset one of BEiT v1: no patch aggregation, the loss of masked patches alone, random initial weights. Its codes are those
// of a small VQ-KD tokenizer, for which nothing has to be fetched.
func plain(c *config.Config) *config.Config {
	s := SectionOf(c)
	s.FromTokenizer, s.Visible = false, 0
	return c
}

// MaskFor is the masking of a grid that no recipe tells: two fifths of the patches, as in the published ones.
func MaskFor(grid int) beit.MaskConfig {
	n := float64(grid * grid)
	return beit.MaskConfig{
		Rows: grid, Cols: grid, Count: int(math.Round(0.4 * n)), MinBlock: int(max(4, math.Round(16*n/196))),
	}
}

func small(vit string, vocab, layer, depth, epochs int) *config.Config {
	v := beit.ViTPreset(vit)
	if v.RelPos == beit.RelPosBlock {
		v.RelPos = beit.RelPosShared
	}
	c := config.New(name, &Section{
		Target: target.Kinds[0].Name, FromTokenizer: true, Visible: 1, FeatureLoss: overMasked, Mask: MaskFor(v.Grid()),
		Model: beit.MIMConfig{ViT: v, Vocab: vocab, Aggregation: beit.AggregationConfig{Layer: layer, Depth: depth, SharedHead: true}},
	})
	c.Data.Jitter = 0.4
	c.Train = config.Train{
		Epochs: epochs, Batch: 128, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05,
		Clip: 3, MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "sqrt", LRBatch: 128,
	}
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if v.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}

// reference is small32 as the authors' code was run with it.
func reference() *config.Config {
	c := small("small32", 512, 4, 2, 10)
	c.Precision, c.Data.ExifTranspose = tensor.Highest.String(), false
	c.Train.WarmupOffset = true
	c.Data.Reduce = false
	s := SectionOf(c)
	s.FromTokenizer, s.Visible = false, 0
	s.Mask.MinBlock = 4
	s.Model.LibraryInit = true // as the authors' code leaves the aggregation blocks
	return c
}
