package beit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// vit returns a backbone of square patches.
func vit(image, patch, width, depth, heads int, layerScale float64) ViTConfig {
	return ViTConfig{
		ImageSize: image, PatchSize: patch, Channels: 3, Width: width, Depth: depth, Heads: heads, MLPRatio: 4, QKVBias: true,
		LayerScale: layerScale, RelPos: RelPosBlock, MeanPool: true, InitScale: 0.001,
	}
}

// vits are the backbones of the authors' code (beit2/modeling_finetune.py, modeling_pretrain.py) and additional small ones.
var vits = map[string]ViTConfig{
	"base_16_192":   vit(192, 16, 768, 12, 12, 0.1),
	"base_16_224":   vit(224, 16, 768, 12, 12, 0.1),
	"base_16_256":   vit(256, 16, 768, 12, 12, 0.1),
	"base_16_384":   vit(384, 16, 768, 12, 12, 0.1),
	"24x544_16_224": vit(224, 16, 544, 24, 16, 0.1),
	"large_16_224":  vit(224, 16, 1024, 24, 16, 1e-5),
	"large_16_384":  vit(384, 16, 1024, 24, 16, 1e-5),
	"large_16_512":  vit(512, 16, 1024, 24, 16, 1e-5),
	"huge_14_224":   vit(224, 14, 1280, 32, 16, 1e-5),
	"giant_14_224":  giant(),
	"tiny32":        plain(32, 8, 96, 4, 3),
	"mini32":        plain(32, 4, 128, 4, 2),
	"small32":       vit(32, 4, 192, 6, 3, 0.1),
	"small64":       vit(64, 8, 256, 8, 4, 0.1),
	"small128":      vit(128, 16, 384, 8, 6, 0.1),
	"small224":      vit(224, 16, 384, 8, 6, 0.1),
}

// plain is a backbone with learned absolute positions and without LayerScale, as a tokenizer's encoder is. In a run of minutes LayerScale would keep
// the blocks from adding anything.
func plain(image, patch, width, depth, heads int) ViTConfig {
	c := vit(image, patch, width, depth, heads, 0)
	c.RelPos, c.AbsPos = RelPosNone, true
	return c
}

func giant() ViTConfig {
	c := vit(224, 14, 1408, 40, 16, 1e-5)
	c.MLPRatio = 4.3637 // 6144 hidden units
	return c
}

// ViTPreset returns a named configuration of a ViT for fine-tuning, without classes. It panics if ViTPresets does not list the name.
func ViTPreset(name string) ViTConfig {
	c, ok := vits[name]
	if !ok {
		panic(fmt.Sprintf("beit: ViTPreset: there is no %q among %s", name, strings.Join(ViTPresets(), ", ")))
	}
	return c
}

// ViTPresets returns the names that ViTPreset accepts, sorted.
func ViTPresets() []string { return slices.Sorted(maps.Keys(vits)) }
