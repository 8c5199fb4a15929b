package segment

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// prefixBackbone begins the names of the backbone's parameters.
const prefixBackbone = "backbone."

// beginning is what a segmenter starts from.
type beginning struct {
	path    string
	weights *weights.Model // its tensors under the names that a segmenter has
	norm    string
	vit     beit.ViTConfig
	whole   *beit.SegmenterConfig // of a segmenter, else nil
	classes []string              // of a segmenter, where they are known
}

// beginningFrom tells what of a model of any method, or of a published one, a segmenter can start from.
func beginningFrom(m *method.Model) (*beginning, error) {
	from := m.Encoder()
	if !weights.Known(from.Kind) || m.Kind == weights.CLIP || m.Kind == weights.DALLE {
		return nil, fmt.Errorf("%s: holds a %s, which no segmenter starts from", m.Path, m.Kind)
	}
	b := &beginning{path: m.Path, norm: method.NormText(from.Norm()), vit: from.ViT}
	if norm, ok := method.NormName(m.Input.Norm); ok && m.Run {
		b.norm = norm
	}
	switch m.Kind {
	case weights.Segmenter:
		b.weights, b.classes = m.Weights, m.Classes
		if n, ok := m.Network.(*beit.SegmenterConfig); ok {
			b.whole = n
		}
		return b, nil
	case weights.Tokenizer:
		b.norm = method.NormInception
	}
	encoder, err := from.Backbone()
	if err != nil {
		return nil, err
	}
	b.weights = encoder.Renamed("", prefixBackbone)
	return b, nil
}

// adapt takes shape and normalisation of the backbone from the model that the run starts from, unless the file has a shape of its own. Sides of images
// follow from the size of the window that the layers ask for; what they say of those themselves comes later and wins.
func adapt(base *config.Config, over config.Layers, start *method.Model) error {
	s := SectionOf(base)
	if start != nil && !over.InFile("segment.model.vit.width") {
		b, err := beginningFrom(start)
		if err != nil {
			return fmt.Errorf("init_from: %w", err)
		}
		s.become(b)
	}
	asked, err := over.Over(base)
	if err != nil {
		return err
	}
	s.fit(SectionOf(asked).Model.ViT.ImageSize)
	if asked.Raw() && s.Augment.Distort && SectionOf(asked).Augment.Distort {
		s.Augment.Distort = false
		base.Notes = append(base.Notes, "no distortion of colours: it needs images of red, green and blue with 8 bits a channel")
	}
	return nil
}

// become makes the network that of a model, as far as the model has it. The window stays about as large as it was, unless the model is a segmenter.
func (s *Section) become(b *beginning) {
	old := s.Model
	s.Norm = b.norm
	if b.whole != nil {
		s.Model = *b.whole
		s.Model.Classes = old.Classes
	} else {
		s.Model.ViT = b.vit
		s.Model.ViT.ImageSize, s.Model.ViT.ImageWidth = max(old.ViT.ImageSize/b.vit.PatchSize, 1)*b.vit.PatchSize, 0 // windows are squares
	}
	v := &s.Model.ViT
	v.DropPath, v.Classes, v.MeanPool, v.InitScale = old.ViT.DropPath, 0, false, 0
	if v.RelPos == beit.RelPosShared {
		v.RelPos = beit.RelPosBlock
	}
}

// StartFrom takes the weights of a model of any kind, as far as both networks have them.
func (t *task) StartFrom(m *method.Model) error {
	b, err := beginningFrom(m)
	if err != nil {
		return err
	}
	if b.whole != nil && !(b.whole.Classes == len(t.Classes) && (b.classes == nil || slices.Equal(b.classes, t.Classes))) { // heads for other classes
		b.weights = b.weights.Without("decode_head.conv_seg.").Without("auxiliary_head.conv_seg.")
	}
	return t.LoadStart(b.path, b.weights, t.set.Params(), weights.ToSegmenter)
}

// newNetwork declares the network of a section, whose classes are known.
func newNetwork(s nn.Scope, c *Section) *beit.Segmenter {
	return beit.NewSegmenter(s, c.Model, c.FreezeBackbone)
}
