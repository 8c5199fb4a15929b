package cae

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// Kind is what models of this method are.
const Kind weights.Kind = "context autoencoder"

// Keys of the method's metrics. Those of codes are called as in package pretrain.
const (
	keyCodes      = "loss_mim"
	keyLatents    = "loss_latents"
	keyMeanLatent = "loss_mean_latent"
	keyAccuracy   = "acc_mim"
)

// Where the tokenizer comes from: its role among the upstream models, and the key that names it.
const (
	roleTokenizer = pretrain.RoleTokenizer
	keyTokenizer  = name + ".tokenizer"
)

// Method trains a context autoencoder.
var Method = &method.Method{
	Spec:      spec,
	Title:     "context autoencoder",
	Command:   "pretrain --method cae",
	Stream:    "cae",
	ModelFile: "context.safetensors",
	Metrics: []method.Metric{
		{Key: keyCodes, Label: "cross-entropy of codes", Panel: panelCodes, Better: method.Lower, Column: "MIM loss", Rank: 1},
		{Key: keyAccuracy, Label: "accuracy of codes", Panel: panelAccuracy, Better: method.Higher, Column: "MIM acc", Rank: 2},
		{Key: target.KeyEntropy, Label: "unigram entropy", Unit: "nat", Panel: panelCodes, Column: "entropy", Rank: 3},
		{Key: target.KeyNearest, Label: "nearest-patch baseline", Panel: panelAccuracy, Column: "nearest", Rank: 4},
		{Key: keyLatents, Label: "loss of latents", Panel: panelLatents, Better: method.Lower, Column: "latents", Rank: 5},
		{Key: keyMeanLatent, Label: "image-mean baseline", Panel: panelLatents, Column: "mean lat", Rank: 6},
		{Key: target.KeyUsed, Label: "codes used", Panel: panelUse},
		{Key: target.KeyPerplexity, Label: "perplexity", Panel: panelUse, Column: "perplex", Rank: 8},
	},
	Main:         keyCodes,
	Verdict:      verdict,
	Symptoms:     symptoms,
	Trend:        pretrain.Method.Trend, // by the same figures of codes
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "cae.model.vit.image_size",
	Train:        func(c *config.Config) data.Pipeline { return method.Augment(c, views(c)...) },
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, views(c)...) },
	Masking:      masking,
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Upstream: func(c *config.Config, _ method.Upstreams) []method.Upstream {
		return []method.Upstream{{Role: roleTokenizer, Key: keyTokenizer, Path: SectionOf(c).Tokenizer, Fixed: true}}
	},
	Network: func(kind weights.Kind) any {
		if kind == Kind {
			return &NetworkConfig{}
		}
		return nil
	},
	Declare: func(s nn.Scope, card method.Card) any {
		n := *card.Network.(*NetworkConfig)
		if n.Neck.DecoderDepth == 0 { // an encoder alone
			return beit.NewViT(s, n.ViT)
		}
		return NewNetwork(s, n)
	},
	Recognize: recognize,
	Encoder:   encoder,
}

var (
	panelCodes    = method.Panel{Title: "cross-entropy of codes, in nat"}
	panelAccuracy = method.Panel{Title: "accuracy on masked patches", FromZero: true}
	panelLatents  = method.Panel{Title: "loss of latents: twice the mean square error", FromZero: true}
	panelUse      = method.Panel{Title: "codes", FromZero: true}
)

// views are what the encoder sees, and what the tokenizer sees of the same part of an image.
func views(c *config.Config) []data.View { return card(c).Input.WithTarget() }
