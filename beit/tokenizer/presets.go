package tokenizer

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/tensor"
)

// presets are the models of the authors' beit2/modeling_vqkd.py with the settings of beit2/TOKENIZER.md, small ones of our own, the run of the authors'
// code that small32 is compared with, and tokenizers like PeCo's, which have the networks and the settings of those of the same size.
var presets = map[string]func() *config.Config{
	"vqkd_encoder_base_decoder_1x768x12_clip": func() *config.Config { return published(1, teacherCLIP, 512) },
	"vqkd_encoder_base_decoder_3x768x12_clip": func() *config.Config { return published(3, teacherCLIP, 512) },
	"vqkd_encoder_base_decoder_1x768x12_dino": func() *config.Config { return published(1, teacherDINO, 768) },

	"tiny32":               func() *config.Config { return small("tiny32", 256, 16, 8).Short() },
	"mini32":               func() *config.Config { return small("mini32", 512, 16, 8).Short() },
	"small32":              func() *config.Config { return small("small32", 512, 16, 8) },
	"small64":              func() *config.Config { return small("small64", 512, 16, 20) },
	"small128":             func() *config.Config { return small("small128", 1024, 32, 20) },
	"small224":             func() *config.Config { return small("small224", 1024, 32, 20) },
	config.ReferencePreset: reference,

	"base_peco":    func() *config.Config { return peco(published(3, teacherPixels, 768)) },
	"small32_peco": func() *config.Config { return peco(small("small32", 512, 16, 8)) },
	"small64_peco": func() *config.Config { return peco(small("small64", 512, 16, 20)) },
}

// name is the method's, and the key of its section.
const name = "tokenizer"

var spec = config.NewSpec(name, presets).InPaper("vqkd_encoder_base_decoder_3x768x12_clip")

// network is a VQ-KD model whose encoder and decoder have absolute positions and no LayerScale.
func network(vit string, decoderDepth, codes, dim, targetDim int) beit.VQKDConfig {
	e := beit.ViTPreset(vit)
	e.LayerScale, e.RelPos, e.AbsPos = 0, beit.RelPosNone, true
	d := e
	d.ImageSize, d.PatchSize, d.Channels, d.Depth = e.Grid(), 1, dim, decoderDepth
	return beit.VQKDConfig{
		Encoder: e, Decoder: d, Codes: codes, CodeDim: dim, TargetDim: targetDim, Decay: 0.99, Beta: 1, KMeansInit: true,
	}
}

func published(decoderDepth int, teacher string, targetDim int) *config.Config {
	c := config.New(name, &Section{Teacher: teacher, Model: network("base_16_224", decoderDepth, 8192, 32, targetDim)})
	c.Train = config.Train{
		Epochs: 100, Batch: 512, LR: 2e-4, MinLR: 1e-5, WarmupEpochs: 10, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
		MinCropScale: 0.08, AccumulationSteps: 1, LRScaling: "linear", LRBatch: 512,
	}
	return c
}

// peco makes c rebuild pixels, with a perceptual loss by features of the model that teacher_run names.
func peco(c *config.Config) *config.Config {
	s := SectionOf(c)
	s.Teacher, s.Perceptual, s.HOGEpsilon = teacherPixels, 1, 0
	s.Model.TargetDim = beit.PixelTeacher{Patch: s.Model.Encoder.PatchSize}.Dim()
	return c
}

// hogDim is the width of the teacher "hog".
const hogDim = 84

func small(vit string, codes, dim, epochs int) *config.Config {
	c := config.New(name, &Section{
		Teacher: teacherHOG, HOGEpsilon: 0.03, Model: network(vit, 1, codes, dim, hogDim), Reseed: true, KMeansTokens: 32 * codes,
	})
	c.Train = config.Train{
		Epochs: epochs, Batch: 128, LR: 1e-3, MinLR: 1e-5, WarmupEpochs: 1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 1e-4,
		MinCropScale: 0.2, AccumulationSteps: 1, LRScaling: "sqrt", LRBatch: 128,
	}
	c.Precision, c.Data.ExifTranspose, c.Data.Reduce = config.PrecisionAuto, true, true
	if SectionOf(c).Model.Encoder.ImageSize == 32 {
		c.ShowSmall()
	}
	return c
}

// reference is small32 as the authors' code was run with it.
func reference() *config.Config {
	c := small("small32", 512, 16, 8)
	c.Precision, c.Data.ExifTranspose = tensor.Highest.String(), false
	c.Train.WarmupOffset = true
	c.Data.Reduce = false
	s := SectionOf(c)
	s.Teacher, s.HOGEpsilon, s.Model.TargetDim = teacherHOGRef, 0, 30
	s.Reseed, s.KMeansTokens = false, 0 // the first batch holds more than 4 tokens for each code
	return c
}
