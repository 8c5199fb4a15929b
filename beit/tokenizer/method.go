package tokenizer

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// Method trains a tokenizer.
var Method = &method.Method{
	Spec:      spec,
	Title:     "tokenizer",
	Command:   "tokenizer train",
	Stream:    "tokenizer",
	ModelFile: "tokenizer.safetensors",
	Metrics: []method.Metric{
		{Key: "loss_reconstruction", Label: "reconstruction loss", Panel: panelLoss, Better: method.Lower, Column: "rec loss", Rank: 1},
		{Key: "loss_commitment", Label: "commitment loss", Panel: panelLoss, Better: method.Lower, Column: "commit", Rank: 6},
		{Key: keyPixels, Label: "square error of rebuilt pixels", Panel: panelPixels, Better: method.Lower},
		{Key: keyPerceptual, Label: "perceptual loss", Panel: panelLoss, Better: method.Lower},
		{Key: keyMeanColour, Label: "mean-colour baseline", Panel: panelPixels},
		{Key: "codes_used", Label: "codes used", Panel: panelCodes, Better: method.Higher, Column: "codes", Rank: 2},
		{Key: "perplexity", Label: "perplexity", Panel: panelCodes, Better: method.Higher, Column: "perplex", Rank: 3},
		{Key: "reseeded", Label: "re-seeded"},
		{Key: "codes_unused", Label: "codes unused", Better: method.Lower, Column: "unused", Rank: 4},
		{Key: "entropy", Label: "entropy of codes", Unit: "nat", Better: method.Higher},
		{Key: "top_share", Label: "share of the most common code", Better: method.Lower, Column: "top code", Rank: 8},
	},
	Main:         "loss_reconstruction",
	Verdict:      verdict,
	Symptoms:     symptoms,
	Trend:        trend,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.Encoder.ImageSize },
	ImageSizeKey: "tokenizer.model.encoder.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, card(c).Input.View()) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.View()) },
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Upstream:     upstream,
	Describe:     describe,
}

var (
	panelLoss   = method.Panel{Title: "reconstruction and commitment loss", FromZero: true}
	panelPixels = method.Panel{Title: "mean square error of pixels in [-1, 1]", FromZero: true}
	panelCodes  = method.Panel{Title: "codes", FromZero: true}
)

// card describes the finished tokenizer. It normalises images in [0, 1] itself.
func card(c *config.Config) method.Card {
	m := SectionOf(c).Model
	return method.Card{
		Method: name, Kind: weights.Tokenizer, Network: &m, Beside: []string{prefixTeacher},
		Input: method.InputOf(m.Encoder, data.Unit, nil, c.Data.Eval.Whole),
	}
}
