package infer

import (
	"fmt"
	"image"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/weights"
)

// Tower is a vision transformer that no other kind of model is: CLIP's image encoder, the backbone of a segmentation model, or a published
// classifier without its head. Its attention can be looked at.
type Tower struct {
	network
	model any
}

// isTower says whether an opened model can be a Tower alone.
func isTower(m *model.Model) bool {
	v, ok := m.Network.(*beit.ViTConfig)
	return m.Config == nil || m.Kind == weights.Classifier && ok && v.Classes == 0
}

// newTower returns the network of an opened model.
func newTower(m *model.Model, opt Options) (*Tower, error) {
	built, set, err := m.Build(opt.device())
	if err != nil {
		return nil, fmt.Errorf("open network: %w", err)
	}
	t := &Tower{model: built}
	t.init(m, set, m.Input.Pipeline())
	if t.config == nil { // no method is near: images are read as usual, and shown upright
		t.config = config.New("", nil)
		t.config.Data.ExifTranspose = true
	}
	return t, nil
}

// Grid is the number of patches along a side.
func (t *Tower) Grid() int {
	if t.net().opened() != nil {
		return 0
	}
	return t.input.Grid
}

// Blocks is the number of transformer blocks.
func (t *Tower) Blocks() int {
	if t.net().opened() != nil {
		return 0
	}
	return depth(t.model)
}

// Seen is what the network sees of an image: resized and cropped to a square of ImageSize.
func (t *Tower) Seen(img image.Image) (*data.RGB, error) { return t.net().seen(img) }

// Attention returns the attention weights of a block, from 1, for an image. Block 0 is the last one.
func (t *Tower) Attention(img image.Image, block int) (*Attention, error) {
	if err := t.net().opened(); err != nil {
		return nil, err
	}
	return t.attention(t.model, nil, img, block)
}
