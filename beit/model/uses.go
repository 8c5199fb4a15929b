package model

import (
	"fmt"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/segment"
	"github.com/gobeit/gobeit/beit/tokenizer"
	"github.com/gobeit/gobeit/beit/weights"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Use is what a model is for.
type Use int

// The uses.
const (
	Features Use = iota // of images: a backbone
	Codes               // of patches: a tokenizer
	Classes             // of images: a classifier
	Pixels              // of images, each with a class: a segmenter
)

// UseOf says what a model is for.
func UseOf(m *Model) Use { return UseOfMethod(m.Method) }

// UseOfMethod says what the models of a method are for.
func UseOfMethod(m *method.Method) Use {
	switch m {
	case tokenizer.Method:
		return Codes
	case finetune.Method:
		return Classes
	case segment.Method:
		return Pixels
	}
	return Features
}

// OpenTokenizer builds the tokenizer in an opened model. The caller releases the set.
func OpenTokenizer(dev *tensor.Device, m *Model) (*beit.VQKD, *nn.Set, error) {
	t, err := tokenizer.Build(dev, m)
	if err != nil {
		return nil, nil, err
	}
	return t.VQKD, t.Set, nil
}

// OpenCoder builds what has the codes that a backbone of ViT v with so many outputs learned: a tokenizer, or DALL-E's encoder, which takes images of any
// size. The caller releases the set.
func OpenCoder(dev *tensor.Device, m *Model, v beit.ViTConfig, outputs int) (coder beit.Coder, set *nn.Set, err error) {
	codes := m.Weights.VQKD.Codes
	fits := v.ImageSize == m.Weights.VQKD.Encoder.ImageSize && v.Tokens() == m.Weights.VQKD.Encoder.Tokens()
	if m.Kind == weights.DALLE {
		codes, fits = m.Weights.DALLE.Codes, true
	}
	if !fits || codes != outputs {
		return nil, nil, fmt.Errorf("%s: has %d codes, or other patches than the network, which has %d outputs", m.Path, codes, outputs)
	}
	if m.Kind != weights.DALLE {
		return OpenTokenizer(dev, m)
	}
	network, set, err := m.Build(dev)
	if err != nil {
		return nil, nil, err
	}
	return network.(*beit.DALLE), set, nil
}

// OpenClassifier builds the classifier in an opened model; outputs is the number of its classes. The caller releases the set.
func OpenClassifier(dev *tensor.Device, m *Model) (c beit.Classifier, outputs int, set *nn.Set, err error) {
	t, err := finetune.Build(dev, m)
	if err != nil {
		return nil, 0, nil, err
	}
	return t.Classifier, t.Outputs(), t.Set, nil
}

// Segmenter is a segmenter that is ready for use.
type Segmenter = segment.Trained

// WholeImages is a mode of a Segmenter's view: an image is resized to one window.
const WholeImages = segment.ModeWhole

// OpenSegmenter builds the segmenter in an opened model; taps may replace the model's. The caller releases its Set.
func OpenSegmenter(dev *tensor.Device, m *Model, taps string) (*Segmenter, error) {
	return segment.Build(dev, m, taps)
}

// Encoder is a network that gives features of images.
type Encoder struct {
	beit.Encoder
	Model *Model
	ViT   beit.ViTConfig
	Norm  data.Norm // of the images that the network sees
	Set   *nn.Set
}

// OpenProbed is OpenEncoder for probes and comparisons, which show networks squares of red, green and blue with 8 bits.
func OpenProbed(dev *tensor.Device, m *Model) (*Encoder, error) {
	if height, width := m.Input.Sides(); height != width || m.Input.Bands != nil {
		return nil, fmt.Errorf("%s: sees images of %d x %d with %d channels: probes show squares of red, green and blue with 8 bits; beit embed gives its features",
			m.Path, height, width, m.Input.View().Channels())
	}
	return OpenEncoder(dev, m)
}

// OpenEncoder builds the network for features in an opened model of any kind: a backbone, a tokenizer's encoder, a classifier without its head.
// The caller releases its Set.
func OpenEncoder(dev *tensor.Device, m *Model) (*Encoder, error) {
	if m.Kind == weights.DALLE {
		return nil, fmt.Errorf("%s: holds a %s, of which no features can be taken; 'beit pretrain --method beit1' learns its codes", m.Path, m.Kind)
	}
	if m.Config == nil || m.Kind == weights.Segmenter {
		return nil, fmt.Errorf("%s: holds a %s, of which no features can be taken; 'beit finetune --init-from' makes a classifier of it", m.Path, m.Kind)
	}
	e := &Encoder{Model: m, Norm: m.Input.Norm}
	var network any
	switch {
	case m.Kind == weights.Tokenizer:
		t, err := tokenizer.Build(dev, m)
		if err != nil {
			return nil, err
		}
		network, e.Set, e.Norm = t.Encoder, t.Set, data.Inception
	case m.Kind == weights.CLIP:
		return nil, fmt.Errorf("%s: features of CLIP's tower cannot be taken", m.Path)
	case m.Kind == weights.Classifier:
		t, err := finetune.Build(dev, m)
		if err != nil {
			return nil, err
		}
		network, e.Set = t.Classifier, t.Set
	default:
		var err error
		if network, e.Set, err = m.Build(dev); err != nil {
			return nil, err
		}
	}
	var ok bool
	if e.Encoder, ok = network.(beit.Encoder); !ok {
		e.Set.Release()
		return nil, fmt.Errorf("%s: holds a %s, which gives no features", m.Path, m.Kind)
	}
	if e.ViT, ok = m.ViT(); !ok {
		e.ViT = beit.ViTConfig{ImageSize: m.Input.Size, PatchSize: m.Input.Size / max(m.Input.Grid, 1), Width: e.Width()}
	}
	return e, nil
}

// RandomEncoder is the network for features of m with random weights: a baseline. The caller releases the set.
func RandomEncoder(dev *tensor.Device, m *Model, seed uint64) (beit.Encoder, *nn.Set, error) {
	set := nn.NewSet()
	var network any
	switch v, _ := m.ViT(); m.Kind {
	case weights.Tokenizer, weights.Classifier:
		network = beit.NewViT(set.Scope(), v)
	default:
		network = m.Declare(set.Scope())
	}
	e, ok := network.(beit.Encoder)
	if !ok {
		return nil, nil, fmt.Errorf("%s: holds a %s, which gives no features", m.Path, m.Kind)
	}
	set.Build(dev, seed, nn.Inference)
	return e, set, nil
}
