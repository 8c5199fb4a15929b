package pretrain

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
)

// Method pretrains a backbone.
var Method = &method.Method{
	Spec:      spec,
	Title:     "backbone",
	Command:   "pretrain",
	Stream:    "pretrain",
	ModelFile: "backbone.safetensors",
	Metrics: []method.Metric{
		{Key: "loss_mim", Label: "MIM loss", Panel: panelLoss, Better: method.Lower, Column: "MIM loss", Rank: 1},
		{Key: "loss_aggregation", Label: "patch-aggregation loss", Panel: panelLoss, Better: method.Lower, Column: "agg loss", Rank: 6},
		{Key: "loss_visible", Label: "loss of visible patches", Panel: panelLoss, Better: method.Lower},
		{Key: "loss_cls", Label: "loss of class tokens", Panel: panelLoss, Better: method.Lower},
		{Key: "loss_cls_shuffled", Label: "shuffled-[CLS] control", Panel: panelLoss, Column: "shuffled", Rank: 7},
		{Key: target.KeyEntropy, Label: "unigram entropy", Unit: "nat", Panel: panelLoss, Column: "entropy", Rank: 3},
		{Key: "acc_mim", Label: "MIM accuracy", Panel: panelAccuracy, Better: method.Higher, Column: "MIM acc", Rank: 2},
		{Key: "acc_aggregation", Label: "aggregation accuracy", Panel: panelAccuracy, Better: method.Higher},
		{Key: target.KeyNearest, Label: "nearest-patch baseline", Panel: panelAccuracy, Column: "nearest", Rank: 4},
		{Key: target.KeyUsed, Label: "codes used", Panel: panelCodes},
		{Key: target.KeyPerplexity, Label: "perplexity", Panel: panelCodes, Column: "perplex", Rank: 8},
	},
	Main:         "loss_mim",
	Verdict:      verdict,
	Symptoms:     symptoms,
	Trend:        trend,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "pretrain.model.vit.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, views(c)...) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, views(c)...) },
	Masking:      masking,
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Upstream:     upstream,
	Start:        start,
	Adapt:        adapt,
	Describe:     describe,
}

var (
	panelLoss     = method.Panel{Title: "loss of each head (codes: cross-entropy in nat; features: 1 - cosine)"}
	panelAccuracy = method.Panel{Title: "accuracy on masked patches", FromZero: true}
	panelCodes    = method.Panel{Title: "codes", FromZero: true}
)

// views are what the backbone sees, and what the tokenizer sees of the same part of an image.
func views(c *config.Config) []data.View {
	list := card(c).Input.WithTarget()
	s := SectionOf(c)
	if kind, _ := target.Find(s.Target); kind.View != nil {
		list[1] = kind.View(s.Model.ViT.Grid())
		list[1].Name = method.FieldTarget
	}
	return list
}

func card(c *config.Config) method.Card {
	m := SectionOf(c).Model
	return method.Card{
		Method: name, Kind: weights.MIM, Network: &m,
		Input: method.InputOf(m.ViT, data.ImageNet, nil, c.Data.Eval.Whole),
	}
}

// RoleTokenizer is the role of the tokenizer among the upstream models.
const RoleTokenizer = "tokenizer"

// upstream is the tokenizer, and its teacher where the target is the teacher's; nothing where the target learns from no model.
func upstream(c *config.Config, have method.Upstreams) []method.Upstream {
	s := SectionOf(c)
	kind, _ := target.Find(s.Target)
	if kind.Tokenizer == "" {
		return nil
	}
	list := []method.Upstream{{Role: RoleTokenizer, Key: "pretrain.tokenizer", Path: s.Tokenizer, Fixed: true}}
	if m := have[RoleTokenizer]; kind.NeedsTeacher && m != nil && m.Kind == weights.Tokenizer {
		for _, u := range tokenizer.Method.Upstream(m.Config, nil) {
			u.Fixed = false
			list = append(list, u)
		}
	}
	return list
}

// describe is the configuration of a preset with a published backbone's network.
func describe(card method.Card) (*config.Config, bool) {
	n, ok := card.Network.(*beit.MIMConfig)
	if !ok {
		return nil, false
	}
	c := spec.Preset(spec.Presets[0])
	SectionOf(c).Model = *n
	return c, true
}
