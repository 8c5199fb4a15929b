package beit

import "math"

// vit makes a backbone of square patches; heads divide width.
func vit(image, patch, width, depth, heads int, layerScale float64) ViTConfig {
	return ViTConfig{
		ImageSize: image, PatchSize: patch, Channels: 3, Width: width, Depth: depth, Heads: heads, MLPRatio: 4, QKVBias: true,
		LayerScale: layerScale, RelPos: RelPosBlock, MeanPool: true, InitScale: 0.001,
	}
}

// vits are the backbones of the authors' code (beit2/modeling_finetune.py) and small ones of our own.
var vits = map[string]ViTConfig{
	"base_16_224":   vit(224, 16, 768, 12, 12, 0.1),
	"base_16_256":   vit(256, 16, 768, 12, 12, 0.1),
	"base_16_384":   vit(384, 16, 768, 12, 12, 0.1),
	"24x544_16_224": vit(224, 16, 544, 24, 16, 0.1),
	"large_16_224":  vit(224, 16, 1024, 24, 16, 1e-5),
	"large_16_384":  vit(384, 16, 1024, 24, 16, 1e-5),
	"large_16_512":  vit(512, 16, 1024, 24, 16, 1e-5),
	"huge_14_224":   vit(224, 14, 1280, 32, 16, 1e-5),
	"giant_14_224":  giant(),
	"small32":       vit(32, 4, 192, 6, 3, 0.1),
	"small64":       vit(64, 8, 256, 8, 4, 0.1),
	"small128":      vit(128, 16, 384, 8, 6, 0.1),
}

func giant() ViTConfig {
	c := vit(224, 14, 1408, 40, 16, 1e-5)
	c.MLPRatio = 4.3637 // 6144 hidden units
	return c
}

// tokenizer makes a VQ-KD model whose encoder and decoder have absolute positions and no LayerScale.
func tokenizer(backbone ViTConfig, decoderDepth, codes, dim, targetDim int) VQKDConfig {
	e := backbone
	e.LayerScale, e.RelPos, e.AbsPos = 0, RelPosNone, true
	d := e
	d.ImageSize, d.PatchSize, d.Channels, d.Depth = e.Grid(), 1, dim, decoderDepth
	return VQKDConfig{
		Encoder: e, Decoder: d, Codes: codes, CodeDim: dim, TargetDim: targetDim, Decay: 0.99, Beta: 1, KMeansInit: true,
	}
}

// tokenizers are the models of beit2/modeling_vqkd.py with the settings of beit2/TOKENIZER.md, and small ones of our own.
var tokenizers = map[string]TokenizerRecipe{
	"vqkd_encoder_base_decoder_1x768x12_clip": publishedTokenizer(1, "clip", 512),
	"vqkd_encoder_base_decoder_3x768x12_clip": publishedTokenizer(3, "clip", 512),
	"vqkd_encoder_base_decoder_1x768x12_dino": publishedTokenizer(1, "dino", 768),

	"small32":  smallTokenizer("small32", 512, 16, 8),
	"small64":  smallTokenizer("small64", 512, 16, 20),
	"small128": smallTokenizer("small128", 1024, 32, 20),
}

func publishedTokenizer(decoderDepth int, teacher string, targetDim int) TokenizerRecipe {
	return TokenizerRecipe{
		Model: tokenizer(vits["base_16_224"], decoderDepth, 8192, 32, targetDim), Teacher: teacher,
		Train: Training{
			Epochs: 100, Batch: 512, LR: 2e-4, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
			MinCropScale: 0.08,
		},
	}
}

// hogDim is the width of the teacher "hog".
const hogDim = 84

func smallTokenizer(name string, codes, dim, epochs int) TokenizerRecipe {
	return TokenizerRecipe{
		Model: tokenizer(vits[name], 1, codes, dim, hogDim), Teacher: "hog",
		Train: Training{
			Epochs: epochs, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
			MinCropScale: 0.2,
		},
	}
}

// mims are the recipes of beit2/PRETRAINING.md and small ones of our own. The plain models, 24x544 and huge have no published
// recipe: they take the settings of the base or large one, and our rule for masks (maskFor) where the grid differs.
var mims = map[string]MIMRecipe{
	"base_1600e":  publishedMIM("base_16_224", 9, 1600),
	"base_300e":   publishedMIM("base_16_224", 9, 300),
	"large_1600e": publishedMIM("large_16_224", 21, 1600),
	"large_300e":  publishedMIM("large_16_224", 21, 300),
	"24x544":      publishedMIM("24x544_16_224", 21, 300),

	"base_plain":     publishedMIM("base_16_224", 0, 300),
	"base_192_plain": publishedMIM("base_16_192", 0, 300),
	"base_256_plain": publishedMIM("base_16_256", 0, 300),
	"24x544_plain":   publishedMIM("24x544_16_224", 0, 300),
	"large_plain":    publishedMIM("large_16_224", 0, 300),
	"huge_plain":     publishedMIM("huge_14_224", 0, 300),

	"small32":  smallMIM("small32", 512, 3, 1, 10),
	"small64":  smallMIM("small64", 512, 5, 2, 100),
	"small128": smallMIM("small128", 1024, 5, 2, 100),
}

// publishedMIM makes a recipe with two aggregation blocks fed from block early, or none when early is 0.
func publishedMIM(name string, early, epochs int) MIMRecipe {
	v := vits[name]
	if name == "base_16_192" {
		v = vit(192, 16, 768, 12, 12, 0.1)
	}
	v.RelPos = RelPosShared
	r := MIMRecipe{
		Model:     MIMConfig{ViT: v, Vocab: 8192, SharedHead: true},
		Mask:      maskFor(v.Grid()),
		Tokenizer: "vqkd_encoder_base_decoder_3x768x12_clip",
		Train: Training{
			Epochs: epochs, Batch: 2048, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05,
			Clip: 3, MinCropScale: 0.2,
		},
	}
	if early > 0 {
		r.Model.EarlyLayer, r.Model.HeadLayers = early, 2
	}
	if epochs == 1600 {
		r.Train.Beta2 = 0.999
		r.Model.ViT.DropPath = 0.1
	}
	if v.Grid() == 14 {
		r.Mask.Count = 75
	}
	return r
}

// maskFor is the masking of a grid that no recipe tells: two fifths of the patches, as in the published ones.
func maskFor(grid int) MaskConfig {
	n := float64(grid * grid)
	return MaskConfig{
		Rows: grid, Cols: grid, Count: int(math.Round(0.4 * n)), MinBlock: int(max(4, math.Round(16*n/196))),
	}
}

func smallMIM(name string, vocab, early, head, epochs int) MIMRecipe {
	v := vits[name]
	v.RelPos = RelPosShared
	return MIMRecipe{
		Model:     MIMConfig{ViT: v, Vocab: vocab, EarlyLayer: early, HeadLayers: head, SharedHead: true},
		Mask:      maskFor(v.Grid()),
		Tokenizer: name,
		Train: Training{
			Epochs: epochs, Batch: 128, LR: 1.5e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.98, Eps: 1e-8, Decay: 0.05,
			Clip: 3, MinCropScale: 0.2,
		},
	}
}

// distillations are small recipes of our own; temperatures, center and weight decay are those of facebookresearch/dino.
var distillations = map[string]DistillRecipe{
	"small32":  smallDistill("small32", 1024, 20, CropConfig{Small: 4, SmallSize: 16, Split: 0.4}),
	"small64":  smallDistill("small64", 2048, 50, CropConfig{Small: 4, SmallSize: 32, Split: 0.4}),
	"small128": smallDistill("small128", 4096, 50, CropConfig{Small: 6, SmallSize: 64, Split: 0.4}),
}

func smallDistill(name string, outputs, epochs int, crops CropConfig) DistillRecipe {
	return DistillRecipe{
		Model: DistillConfig{
			ViT: DINOShape(vits[name]), Hidden: 512, Bottleneck: 128, Outputs: outputs, StudentTemp: 0.1, TeacherTemp: 0.04, StartTemp: 0.04,
			Momentum: 0.99, CenterDecay: 0.9,
		},
		Crops: crops, HoldEpochs: 1,
		Train: Training{
			Epochs: epochs, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.04, Clip: 3,
			MinCropScale: 0.1,
		},
	}
}

// fineTunings are the settings of beit2/get_started_for_image_classification.md at 224², and small ones of our own.
var fineTunings = map[string]FineTuning{
	"base_1600e":   fineTuning("base_16_224", 5e-4, 100, 20, 0.60, 0.2, true),
	"base_300e":    fineTuning("base_16_224", 5e-4, 100, 20, 0.65, 0.1, true),
	"base_21k":     fineTuning("base_16_224", 5e-5, 30, 20, 0.75, 0.1, false),
	"large_1600e":  fineTuning("large_16_224", 2e-4, 50, 5, 0.80, 0.2, true),
	"large_300e":   fineTuning("large_16_224", 5e-4, 50, 5, 0.80, 0.2, true),
	"large_21k":    fineTuning("large_16_224", 7e-5, 20, 5, 0.80, 0.25, false),
	"base_to_21k":  intermediate("base_16_224", 0.1),
	"large_to_21k": intermediate("large_16_224", 0.2),

	"small32":  smallFineTuning("small32", 20),
	"small64":  smallFineTuning("small64", 50),
	"small128": smallFineTuning("small128", 50),
}

func fineTuning(model string, lr float64, epochs, warmup int, layerDecay, dropPath float64, mix bool) FineTuning {
	f := FineTuning{
		Model: vits[model],
		Train: Training{
			Epochs: epochs, Batch: 1024, LR: lr, MinLR: 1e-6, WarmupEpochs: warmup, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
			Decay: 0.05, MinCropScale: 0.08,
		},
		LayerDecay: layerDecay, Smoothing: 0.1, RandMagnitude: 9, RandOps: 2, Erase: 0.25,
	}
	f.Model.DropPath = dropPath
	if mix {
		f.Mixup, f.Cutmix = 0.8, 1
	}
	return f
}

// intermediate is fine-tuning on ImageNet-21k between pretraining and ImageNet-1k.
func intermediate(model string, dropPath float64) FineTuning {
	f := fineTuning(model, 6e-4, 90, 20, 0.75, dropPath, true)
	f.Train.Batch = 4096
	return f
}

// smallFineTuning is for thousands of small pictures and few epochs, for which the published distortions are too strong.
func smallFineTuning(model string, epochs int) FineTuning {
	f := fineTuning(model, 1e-3, epochs, 2, 0.75, 0.1, false)
	f.Train.Batch, f.Train.MinCropScale = 128, 0.2
	f.RandMagnitude, f.RandOps, f.Erase = 5, 1, 0
	return f
}
