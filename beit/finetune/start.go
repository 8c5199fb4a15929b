package finetune

import (
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
)

// architecture is the network in a model that a classifier starts from.
type architecture struct {
	path    string
	weights *weights.Model // its tensors under the names that a classifier has
	network string
	norm    string
	vit     beit.ViTConfig
	summary bool     // the class token is what it was trained for, so a classifier looks at that
	classes []string // names of its own classes, where they are known
}

// architectureFrom tells which network a model of any method, or a published one, has.
func architectureFrom(m *method.Model) (a *architecture, err error) {
	encoder := m.Encoder()
	if !weights.Known(encoder.Kind) || encoder.Kind == weights.DALLE {
		return nil, fmt.Errorf("%s: holds a %s, which no classifier starts from", m.Path, m.Kind)
	}
	a = &architecture{path: m.Path, network: networkViT, norm: method.NormText(encoder.Norm()), vit: encoder.ViT, classes: m.Classes}
	switch m.Kind {
	case weights.CLIP:
		a.network, a.summary = networkCLIP, true
		if m.Weights.CLIP.GELU {
			a.network = networkOpenCLIP
		}
	case weights.Tokenizer:
		a.norm = method.NormInception
	case weights.DINO:
		a.summary = true
	}
	if m.Run && m.Card.Method == name {
		s := SectionOf(m.Config)
		a.network, a.norm, a.summary, a.vit = s.Network, s.Norm, false, s.Model
	} else if norm, ok := method.NormName(m.Input.Norm); ok && m.Run {
		a.norm = norm
	}
	a.weights, err = encoder.Backbone()
	return a, err
}

// adapt takes shape and normalisation of the network from the model that the run starts from, unless the file has a shape of its own. Then it shows
// images as suits the size that the layers ask for; what they say of that themselves comes later and wins.
func adapt(base *config.Config, over config.Layers, start *method.Model) error {
	if start != nil && !over.InFile("finetune.model.width") {
		if err := adaptTo(base, start); err != nil {
			return fmt.Errorf("init_from: %w", err)
		}
	}
	asked, err := over.Over(base)
	if err != nil {
		return err
	}
	to, from := &SectionOf(base).Model, SectionOf(asked).Model
	to.ImageSize, to.ImageWidth = from.ImageSize, from.ImageWidth
	if asked.Raw() {
		keepColours(base)
	}
	show(base)
	return nil
}

// keepColours takes what needs red, green and blue out of a preset, for images that have something else.
func keepColours(c *config.Config) {
	s := SectionOf(c)
	if s.RandMagnitude == 0 && c.Data.Jitter == 0 {
		return
	}
	s.RandMagnitude, c.Data.Jitter = 0, 0
	c.Notes = append(c.Notes, "no RandAugment and no colour jitter: they need images of red, green and blue with 8 bits a channel")
}

// adaptTo makes the network that of a model, and compares the two.
func adaptTo(c *config.Config, start *method.Model) error {
	a, err := architectureFrom(start)
	if err != nil {
		return err
	}
	fit(SectionOf(c), a)
	if c.Raw() {
		keepColours(c)
	}
	if err := c.Check(); err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	SectionOf(c).Model.Classes = 0 // the images say how many
	s := *SectionOf(c)
	s.Model.Classes = 1 // for the head to be there
	set := nn.NewSet()
	newNetwork(set.Scope(), &s)
	_, err = a.weights.Fit(set.Params(), weights.ToClassifier)
	return err
}

// Become makes the network of c that of a run's model whose blocks are v, before that model is there.
func Become(c *config.Config, v beit.ViTConfig) {
	s := SectionOf(c)
	fit(s, &architecture{network: networkViT, norm: s.Norm, vit: v})
	show(c)
}

// fit makes a section's network an architecture, apart from what belongs to fine-tuning.
func fit(s *Section, a *architecture) {
	old := s.Model
	s.Network, s.Norm, s.Model = a.network, a.norm, a.vit
	m := &s.Model
	m.DropPath, m.InitScale = old.DropPath, old.InitScale
	if m.RelPos == beit.RelPosShared {
		m.RelPos = beit.RelPosBlock
	}
	if m.RelPos == beit.RelPosNone && old.AbsPos && old.RelPos == beit.RelPosBlock { // a preset with both, as CAE's: tables are new
		m.RelPos = beit.RelPosBlock
	}
	if a.vit.Classes == 0 {
		m.MeanPool = !a.summary
	}
}

// Sizes up to which the authors do not crop and resize images, and from which they validate on the largest central square in place of 7/8 of it.
const (
	smallest  = 32
	wholeFrom = 384
)

// show shows images as the authors do at the network's size.
func show(c *config.Config) {
	size := min(SectionOf(c).Model.Size())
	c.Data.Eval.Whole = size <= smallest || size >= wholeFrom
	if c.Data.Augment = config.AugmentCrop; size <= smallest {
		c.Data.Augment = config.AugmentPad
	}
}

// describe is the configuration of a preset with a published classifier's network, shown images as suits its size.
func describe(card method.Card) (*config.Config, bool) {
	v, ok := card.Network.(*beit.ViTConfig)
	if !ok || card.Kind != weights.Classifier {
		return nil, false
	}
	c := spec.Preset("base_1600e")
	fit(SectionOf(c), &architecture{network: networkViT, norm: method.NormText(card.Input.Norm), vit: *v})
	if c.Raw() {
		keepColours(c)
	}
	show(c)
	return c, true
}

// StartFrom takes the weights of a model of any kind, as far as both networks have them.
func (t *task) StartFrom(m *method.Model) error {
	a, err := architectureFrom(m)
	if err != nil {
		return err
	}
	if s := SectionOf(t.Config); a.network != s.Network {
		return fmt.Errorf("%s: is a network %q, and finetune.network = %q", a.path, a.network, s.Network)
	}
	if a.classes != nil && !slices.Equal(a.classes, t.Classes) { // a head for other classes
		a.weights = a.weights.Without("head.")
	}
	return t.LoadStart(a.path, a.weights, t.set.Params(), weights.ToClassifier)
}
