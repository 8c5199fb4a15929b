package finetune

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Method trains a classifier.
var Method = &method.Method{
	Spec:      spec,
	Title:     "classifier",
	Command:   "finetune",
	Stream:    "finetune",
	ModelFile: "classifier.safetensors",
	Metrics: []method.Metric{
		{Key: "class_loss", Label: "cross-entropy", Unit: "nat", Panel: panelLoss, Better: method.Lower, Column: "loss", Rank: 1},
		{Key: "ema_class_loss", Label: "cross-entropy of the EMA", Unit: "nat", Panel: panelLoss, Better: method.Lower},
		{Key: "accuracy", Label: "top-1", Panel: panelTop, Better: method.Higher, Column: "top-1", Rank: 3},
		{Key: "top1", Label: "top-1", Panel: panelTop, Better: method.Higher, Column: "top-1", Rank: 1},
		{Key: "top5", Label: "top-5", Panel: panelTop, Better: method.Higher, Column: "top-5", Rank: 7},
		{Key: "macro_accuracy", Label: "macro accuracy", Better: method.Higher, Column: "macro", Rank: 6},
		{Key: "ema_top1", Label: "top-1 of the EMA", Panel: panelTop, Better: method.Higher, Column: "EMA top-1", Rank: 2},
		{Key: "ema_top5", Label: "top-5 of the EMA", Better: method.Higher},
		{Key: "best_top1", Label: "best top-1", Better: method.Higher, Column: "best", Rank: 4},
	},
	Main:         "top1",
	Verdict:      verdict,
	ImageSize:    func(c *config.Config) int { return max(SectionOf(c).Model.Size()) },
	ImageSizeKey: "finetune.model.image_size",
	Train:        augment,
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.View()) },
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Adapt:        adapt,
	Describe:     describe,
	Network: func(kind weights.Kind) any {
		if kind == weights.CLIP {
			return &clipClassifier{}
		}
		return nil
	},
	Declare: func(s nn.Scope, card method.Card) any {
		if c, ok := card.Network.(*clipClassifier); ok {
			return beit.NewCLIPClassifier(s, c.Tower, c.GELU)
		}
		return beit.NewViT(s, *card.Network.(*beit.ViTConfig))
	},
}

var (
	panelLoss = method.Panel{Title: "cross-entropy of classes (nat), in training with smoothed and mixed labels", FromZero: true}
	panelTop  = method.Panel{Title: "share of images that are right", FromZero: true}
)

// clipClassifier is the configuration of CLIP's tower with a head.
type clipClassifier struct {
	Tower beit.ViTConfig `toml:"tower"`
	GELU  bool           `toml:"gelu"` // in place of QuickGELU
}

// ViTConfig describes the tower.
func (c *clipClassifier) ViTConfig() beit.ViTConfig { return c.Tower }

// card describes the finished classifier.
func card(c *config.Config) method.Card {
	s := SectionOf(c)
	m := s.Model
	norm, bands := s.normalisation(c)
	card := method.Card{Method: name, Kind: weights.Classifier, Network: &m, Input: method.InputOf(m, norm, bands, c.Data.Eval.Whole)}
	if s.clip() {
		card.Kind, card.Network = weights.CLIP, &clipClassifier{m, s.Network == networkOpenCLIP}
	}
	return card
}

// newNetwork declares the network of a section.
func newNetwork(s nn.Scope, f *Section) beit.Classifier {
	if f.clip() {
		return beit.NewCLIPClassifier(s, f.Model, f.Network == networkOpenCLIP)
	}
	return beit.NewViT(s, f.Model)
}
