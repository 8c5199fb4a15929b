package splitmask

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Kind is what models of this method are.
const Kind weights.Kind = "SplitMask-like backbone"

// Keys of the method's metrics. Those that package pretrain has too mean the same, and are judged by its signs of going well or wrong.
const (
	keyMIM      = "loss_mim"
	keyContrast = "loss_contrast"
	keyAccuracy = "acc_mim"
	keyPairs    = "acc_pairs"
)

// Method trains an encoder of halves, like SplitMask.
var Method = &method.Method{
	Spec:      spec,
	Title:     "SplitMask-like backbone",
	Command:   "pretrain --method splitmask",
	Stream:    "splitmask",
	ModelFile: "halves.safetensors",
	Metrics: []method.Metric{
		{Key: keyMIM, Label: "MIM loss, mean of both halves", Panel: panelLoss, Better: method.Lower, Column: "MIM loss", Rank: 1},
		{Key: keyContrast, Label: "InfoNCE of the halves", Panel: panelContrast, Better: method.Lower, Column: "InfoNCE", Rank: 6},
		{Key: target.KeyEntropy, Label: "unigram entropy", Unit: "nat", Panel: panelLoss, Column: "entropy", Rank: 3},
		{Key: keyAccuracy, Label: "MIM accuracy", Panel: panelAccuracy, Better: method.Higher, Column: "MIM acc", Rank: 2},
		{Key: target.KeyNearest, Label: "nearest-patch baseline", Panel: panelAccuracy, Column: "nearest", Rank: 4},
		{Key: keyPairs, Label: "halves paired in the micro-batch", Panel: panelPairs, Better: method.Higher, Column: "pairs", Rank: 7},
		{Key: target.KeyUsed, Label: "codes used", Panel: panelCodes},
		{Key: target.KeyPerplexity, Label: "perplexity", Panel: panelCodes, Column: "perplex", Rank: 8},
	},
	Main:         keyMIM,
	Verdict:      verdict,
	Symptoms:     []method.Symptom{pretrain.FewCodes},
	Trend:        pretrain.Method.Trend,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "splitmask.model.vit.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, card(c).Input.WithTarget()...) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.WithTarget()...) },
	Masking:      masking,
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Upstream: func(c *config.Config, _ method.Upstreams) []method.Upstream {
		return []method.Upstream{{Role: pretrain.RoleTokenizer, Key: "splitmask.tokenizer", Path: SectionOf(c).Tokenizer, Fixed: true}}
	},
	Network: func(kind weights.Kind) any {
		if kind == Kind {
			return &NetworkConfig{}
		}
		return nil
	},
	Declare: func(s nn.Scope, card method.Card) any { return NewNetwork(s, *card.Network.(*NetworkConfig)) },
	Encoder: func(m *method.Model) *weights.Model { return mae.EncoderOf(m, "lm_head.") },
}

var (
	panelLoss     = method.Panel{Title: "cross-entropy of the other half's codes"}
	panelContrast = method.Panel{Title: "InfoNCE", FromZero: true}
	panelAccuracy = method.Panel{Title: "accuracy on the other half", FromZero: true}
	panelPairs    = method.Panel{Title: "halves paired", FromZero: true}
	panelCodes    = method.Panel{Title: "codes", FromZero: true}
)

func card(c *config.Config) method.Card {
	m := SectionOf(c).Model
	return method.Card{
		Method: name, Kind: Kind, Network: &m,
		Input: method.Input{Size: m.ViT.ImageSize, Grid: m.ViT.Grid(), Norm: data.ImageNet, Whole: c.Data.Eval.Whole},
	}
}
