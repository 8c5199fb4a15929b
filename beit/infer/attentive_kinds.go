package infer

import (
	"image"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
)

// The methods of Attentive for each of the three kinds of Model.

// Blocks is the number of transformer blocks of the encoder; 0 for a network without attention.
func (t *Tokenizer) Blocks() int {
	if t.net().opened() != nil {
		return 0
	}
	return depth(t.model.Encoder)
}

// Seen is what the model sees of an image: resized and cropped to a square of ImageSize.
func (t *Tokenizer) Seen(img image.Image) (*data.RGB, error) { return t.net().seen(img) }

// Attention returns the attention weights of a block of the encoder, from 1, for an image. Block 0 is the last one.
func (t *Tokenizer) Attention(img image.Image, block int) (*Attention, error) {
	if err := t.net().opened(); err != nil {
		return nil, err
	}
	return t.attention(t.model.Encoder, symmetric, img, block)
}

// symmetric maps images in [0, 1] to [-1, 1].
func symmetric(_ nn.Context, images *autograd.Var) *autograd.Var {
	return beit.SymmetricRange(images, 1)
}

// Blocks is the number of transformer blocks; 0 for a network without attention.
func (e *Encoder) Blocks() int {
	if e.net().opened() != nil {
		return 0
	}
	return depth(e.model)
}

// Seen is what the model sees of an image: resized and cropped to a square of ImageSize.
func (e *Encoder) Seen(img image.Image) (*data.RGB, error) { return e.net().seen(img) }

// Attention returns the attention weights of a block, from 1, for an image. Block 0 is the last one.
func (e *Encoder) Attention(img image.Image, block int) (*Attention, error) {
	if err := e.net().opened(); err != nil {
		return nil, err
	}
	return e.attention(e.model, e.normalize, img, block)
}

// Blocks is the number of transformer blocks; 0 for a network without attention.
func (c *Classifier) Blocks() int {
	if c.net().opened() != nil {
		return 0
	}
	return depth(c.model)
}

// Seen is what the model sees of an image: resized and cropped to a square of ImageSize.
func (c *Classifier) Seen(img image.Image) (*data.RGB, error) { return c.net().seen(img) }

// Attention returns the attention weights of a block, from 1, for an image. Block 0 is the last one.
func (c *Classifier) Attention(img image.Image, block int) (*Attention, error) {
	if err := c.net().opened(); err != nil {
		return nil, err
	}
	return c.attention(c.model, nil, img, block)
}
