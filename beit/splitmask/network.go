package splitmask

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/mae"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// NetworkConfig is the configuration of encoder, decoder and head.
type NetworkConfig struct {
	ViT     beit.ViTConfig    `toml:"vit"` // only sizes, mlp_ratio and drop_path are used; Shape sets the others
	Decoder mae.DecoderConfig `toml:"decoder"`
	Vocab   int               `toml:"vocab" help:"outputs of the head: codes; a run takes the tokenizer's"`
}

// Shape returns c as all encoders of this method are, which is as those of MAE.
func Shape(c beit.ViTConfig) beit.ViTConfig { return mae.Shape(c) }

// ViTConfig describes the encoder.
func (c *NetworkConfig) ViTConfig() beit.ViTConfig { return c.ViT }

// body is encoder and decoder.
func (c NetworkConfig) body() mae.NetworkConfig {
	return mae.NetworkConfig{ViT: c.ViT, Decoder: c.Decoder}
}

// Check returns an error that names the wrong keys, or nil.
func (c NetworkConfig) Check() error {
	err := c.body().Check()
	if c.Vocab < 1 {
		err = errors.Join(err, fmt.Errorf("vocab = %d: must be at least 1", c.Vocab))
	}
	return err
}

// Network is an encoder that sees one half of the patches of an image at a time, and a decoder that predicts the codes of the other half. As a
// beit.Encoder, and for attention, it is the encoder with all patches.
type Network struct {
	*mae.Body
	Config NetworkConfig
	Head   *nn.Linear // "lm_head": codes
}

var (
	_ beit.Encoder  = (*Network)(nil)
	_ beit.Attender = (*Network)(nil)
)

// NewNetwork declares the parameters: encoder and decoder under the names of MAE, the head under that of BEiT. The config must pass Check.
func NewNetwork(s nn.Scope, c NetworkConfig) *Network {
	c.ViT = Shape(c.ViT)
	m := &Network{Body: mae.NewBody(s, c.body()), Config: c}
	m.Head = m.NewHead(s.Sub("lm_head"), c.Vocab)
	return m
}

// Half is what a forward pass makes of one half of the patches. R is the number of patches of the other half, in the order of the masks.
type Half struct {
	Latent *autograd.Var  // class token and the half's patches after the encoder's norm, [B, N-R+1, d]
	Pooled *autograd.Var  // mean over the decoder's tokens of all patches, [B, dd]
	Logits *autograd.Var  // codes of the other half, [B·R, Vocab]
	Loss   *autograd.Var  // one element: their cross-entropy
	Rows   *tensor.Tensor // Int32 [B·R]: the predicted patches among B·N; owned by the tape
}

// Result is the result of a forward pass. Its Vars may be read until the tape's Reset.
type Result struct {
	Loss   *autograd.Var // one element: the sum of both halves' losses, plus Contrast's by its weight
	Halves [2]Half
	Pairs  Contrast // without a loss where its weight is 0, or there is one image
}

// MIM is the mean of both halves' losses.
func (r Result) MIM() *autograd.Var {
	return autograd.Affine(autograd.Add(r.Halves[0].Loss, r.Halves[1].Loss), 0.5, 0)
}

// Forward predicts labels of normalised images [B, 3, S, S]: those of the patches that k masks from the others, and the other way round.
func (m *Network) Forward(c nn.Context, images *autograd.Var, k mae.Masks, labels beit.Labels, contrast ContrastConfig) Result {
	r := Result{Halves: [2]Half{m.half(c, images, k, labels), m.half(c, images, k.Others(), labels)}}
	r.Loss = autograd.Add(r.Halves[0].Loss, r.Halves[1].Loss)
	if contrast.Weight > 0 && k.Images() > 1 {
		r.Pairs = InfoNCE(c, r.Halves[0].Pooled, r.Halves[1].Pooled, contrast.Temperature)
		r.Loss = autograd.Add(r.Loss, autograd.Affine(r.Pairs.Loss, float32(contrast.Weight), 0))
	}
	r.Loss = r.Loss.Keep()
	return r
}

// half predicts the labels of the patches that k masks.
func (m *Network) half(c nn.Context, images *autograd.Var, k mae.Masks, labels beit.Labels) Half {
	h := Half{Latent: m.Encode(c, images, k).Keep(), Rows: k.Hidden(c.Tape)}
	tokens := m.DecodeTokens(c, h.Latent, k) // [B, N, dd]
	h.Pooled = autograd.Mean(tokens, 1).Keep()
	hidden := autograd.GatherRows(autograd.Reshape(tokens, -1, m.Config.Decoder.Width), h.Rows)
	h.Logits = m.Head.Forward(c, hidden, autograd.LinearOptions{}).Keep()
	h.Loss = labels.Loss(h.Logits, h.Rows).Keep()
	return h
}
