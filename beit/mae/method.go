package mae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Kind is what models of this method are.
const Kind weights.Kind = "masked autoencoder"

// Keys of the method's metrics.
const (
	keyPixels     = "loss_pixels"
	keyMeanColour = "loss_mean_colour"
	keySpread     = "prediction_spread"
)

// Method trains a masked autoencoder.
var Method = &method.Method{
	Spec:      spec,
	Title:     "masked autoencoder",
	Command:   "pretrain --method mae",
	Stream:    "mae",
	ModelFile: "autoencoder.safetensors",
	Metrics: []method.Metric{
		{Key: keyPixels, Label: "loss of masked pixels", Panel: panelLoss, Better: method.Lower, Column: "pixels", Rank: 1},
		{Key: keyMeanColour, Label: "mean-colour baseline", Panel: panelLoss, Column: "mean col", Rank: 2},
		{Key: keySpread, Label: "deviation of predictions between patches", Panel: panelSpread, Column: "spread", Rank: 6},
	},
	Main:         keyPixels,
	Verdict:      verdict,
	Symptoms:     symptoms,
	Trend:        trend,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "mae.model.vit.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, card(c).Input.View()) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.View()) },
	Masking:      masking,
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Network: func(kind weights.Kind) any {
		if kind == Kind {
			return &NetworkConfig{}
		}
		return nil
	},
	Declare: func(s nn.Scope, card method.Card) any {
		n := *card.Network.(*NetworkConfig)
		if n.Decoder.Depth == 0 { // a published encoder
			return beit.NewDINO(s, n.ViT)
		}
		return NewNetwork(s, n)
	},
	Recognize: recognize,
	Encoder:   encoder,
}

var (
	panelLoss   = method.Panel{Title: "mean square error of masked pixels", FromZero: true}
	panelSpread = method.Panel{Title: "deviation of predictions between masked patches", FromZero: true}
)
