package segment

import (
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/data/masks"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/weights"
)

// Keys of metrics.
const (
	keyMeanIoU  = "miou"
	keyMeanAcc  = "macc"
	keyPixelAcc = "pixel_accuracy"

	keyDecode = "loss_decode"
	keyAux    = "loss_aux"
)

// Method trains a segmenter. Records of validation also have iou_0, iou_1, …, the IoU of each class that has pixels.
var Method = &method.Method{
	Spec:      spec,
	Title:     "segmenter",
	Command:   "segment train",
	Stream:    "segment",
	ModelFile: "segmenter.safetensors",
	Metrics: []method.Metric{
		{Key: keyDecode, Label: "cross-entropy of pixels", Unit: "nat", Panel: panelLoss, Better: method.Lower, Column: "loss", Rank: 1},
		{Key: keyAux, Label: "auxiliary loss, weighted", Unit: "nat", Panel: panelLoss, Better: method.Lower, Column: "aux", Rank: 8},
		{Key: keyMeanIoU, Label: "mIoU", Panel: panelScore, Better: method.Higher, Column: "mIoU", Rank: 1},
		{Key: keyMeanAcc, Label: "mean accuracy of classes", Panel: panelScore, Better: method.Higher, Column: "mAcc", Rank: 6},
		{Key: keyPixelAcc, Label: "pixel accuracy", Panel: panelScore, Better: method.Higher, Column: "aAcc", Rank: 3},
		{Key: keyBest, Label: "best mIoU", Better: method.Higher, Column: "best", Rank: 4},
	},
	Main:         keyMeanIoU,
	Verdict:      verdict,
	ImageSize:    func(c *config.Config) int { return SectionOf(c).Model.ViT.ImageSize },
	ImageSizeKey: "segment.model.vit.image_size",
	Train:        train,
	Eval:         func(c *config.Config) data.Pipeline { return method.Plain(c, card(c).Input.View()) },
	Cost:         cost,
	Card:         card,
	Task:         newTask,
	Adapt:        adapt,
	Describe:     describe,
}

var (
	panelLoss  = method.Panel{Title: "cross-entropy of pixels (nat)", FromZero: true}
	panelScore = method.Panel{Title: "pixels and classes that are right", FromZero: true}
)

// train is the pipeline of training.
func train(c *config.Config) data.Pipeline {
	s := SectionOf(c)
	a := s.Augment
	norm, bands := s.normalisation(c)
	p := masks.NewTrain(s.Model.ViT.ImageSize, norm)
	p.Bands = bands
	p.Long, p.Short, p.Scale, p.MaxShare, p.Flip, p.Distort = a.Long, a.Short, [2]float64{a.MinScale, a.MaxScale}, a.MaxShare, a.Flip, a.Distort
	if c.Data.Augment == config.AugmentNone {
		p.Scale, p.MaxShare, p.Flip, p.Distort = [2]float64{1, 1}, 0, false, false
	}
	return p
}

// card describes the finished segmenter.
func card(c *config.Config) method.Card {
	s := SectionOf(c)
	m := s.Model
	norm, bands := s.normalisation(c)
	return method.Card{
		Method: name, Kind: weights.Segmenter, Network: &m,
		Input: method.InputOf(m.ViT, norm, bands, c.Data.Eval.Whole),
	}
}

// describe is the configuration of a preset with a published segmenter's network.
func describe(card method.Card) (*config.Config, bool) {
	n, ok := card.Network.(*beit.SegmenterConfig)
	if !ok || card.Kind != weights.Segmenter {
		return nil, false
	}
	c := spec.Preset("base")
	s := SectionOf(c)
	s.Model, s.Norm = *n, method.NormText(card.Input.Norm)
	s.fit(n.ViT.ImageSize)
	return c, true
}

// fit makes sides of images follow from that of the window.
func (s *Section) fit(size int) {
	s.Model.ViT.ImageSize = size
	s.Augment.Long, s.Augment.Short, s.Inference.Stride = 4*size, size, 2*size/3
}
