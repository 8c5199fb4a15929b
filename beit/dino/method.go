package dino

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// Method trains a network by self-distillation.
var Method = &method.Method{
	Spec:      spec,
	Title:     "teacher",
	Command:   "pretrain --method dino",
	Stream:    "teacher",
	ModelFile: "teacher.safetensors",
	Metrics: []method.Metric{
		{Key: "cross_entropy", Label: "cross-entropy", Unit: "nat", Panel: panelEntropy, Column: "loss", Rank: 1},
		{Key: "teacher_entropy", Label: "entropy of outputs", Unit: "nat", Panel: panelEntropy, Column: "entropy", Rank: 2},
		{Key: "mean_entropy", Label: "entropy of mean output", Unit: "nat", Panel: panelEntropy, Column: "of mean", Rank: 3},
		{Key: "momentum", Label: "momentum of the teacher"},
	},
	Main:         "cross_entropy",
	Verdict:      verdict,
	Symptoms:     symptoms,
	Trend:        trend,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "dino.model.vit.image_size",
	Train:        crops,
	Eval:         crops,
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Describe:     describe,
}

var panelEntropy = method.Panel{Title: "cross-entropy with the teacher, entropy of its outputs, entropy of their mean (nat)", FromZero: true}

// crops is the pipeline of training and of validation: two large crops of an image, then small ones.
func crops(c *config.Config) data.Pipeline {
	s := SectionOf(c)
	large := card(c).Input.View()
	small := large
	small.Size = s.Crops.SmallSize
	return &data.MultiCrop{
		Large: large, Small: small, Count: s.Crops.Small, LargeScale: [2]float64{s.Crops.Split, 1},
		SmallScale: [2]float64{c.Train.MinCropScale, s.Crops.Split}, Jitter: c.Data.Jitter,
	}
}

// card describes the network that teaches. Checkpoints have the student and both heads beside it.
func card(c *config.Config) method.Card {
	v := SectionOf(c).Model.ViT
	return method.Card{
		Method: name, Kind: weights.DINO, Network: &v, Beside: []string{beit.DistillStudent, beit.DistillHeads, beit.DistillCenter},
		Input: method.InputOf(v, data.ImageNet, nil, c.Data.Eval.Whole),
	}
}

// describe is the configuration of a preset with a published network.
func describe(card method.Card) (*config.Config, bool) {
	v, ok := card.Network.(*beit.ViTConfig)
	if !ok || card.Kind != weights.DINO {
		return nil, false
	}
	c := spec.Preset(spec.Presets[0])
	SectionOf(c).Model.ViT = *v
	return c, true
}
