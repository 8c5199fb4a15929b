package bench

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn/optim"
)

// recipe has the settings of a preset that a training step needs.
type recipe struct {
	tokenizer      beit.VQKDConfig
	tokenizerOptim optim.AdamWConfig
	tokenizerLR    float64
	mim            beit.MIMConfig
	mask           beit.MaskConfig
	mimOptim       optim.AdamWConfig
	mimLR          float64
}

// recipes are the settings of presets, by name. They are copies, so that bench imports no method; a test compares them with the presets.
var recipes = map[string]recipe{
	"small32":   newRecipe("small32", 512, 16, 1, 84, 1e-3, beit.AggregationConfig{Layer: 3, Depth: 1, SharedHead: true}, 26, 5),
	"base_300e": newRecipe("base_16_224", 8192, 32, 3, 512, 2e-4, beit.AggregationConfig{Layer: 9, Depth: 2, SharedHead: true}, 75, 16),
}

// newRecipe returns the settings of a tokenizer and of a MIM model for a ViT preset.
func newRecipe(vit string, codes, codeDim, decoderDepth, targetDim int, tokenizerLR float64, a beit.AggregationConfig, masked, minBlock int) recipe {
	backbone := beit.ViTPreset(vit)
	backbone.RelPos = beit.RelPosShared
	encoder := backbone
	encoder.LayerScale, encoder.RelPos, encoder.AbsPos = 0, beit.RelPosNone, true
	decoder := encoder
	decoder.ImageSize, decoder.PatchSize, decoder.Channels, decoder.Depth = encoder.Grid(), 1, codeDim, decoderDepth
	return recipe{
		tokenizer: beit.VQKDConfig{
			Encoder: encoder, Decoder: decoder, Codes: codes, CodeDim: codeDim, TargetDim: targetDim, Decay: 0.99, Beta: 1, KMeansInit: true,
		},
		tokenizerOptim: optim.AdamWConfig{Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4},
		tokenizerLR:    tokenizerLR,
		mim:            beit.MIMConfig{ViT: backbone, Vocab: codes, Aggregation: a},
		mask:           beit.MaskConfig{Rows: backbone.Grid(), Cols: backbone.Grid(), Count: masked, MinBlock: minBlock},
		mimOptim:       optim.AdamWConfig{Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05, Clip: 3},
		mimLR:          1.5e-3,
	}
}
