package method

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
)

// Names of the tensors of a batch.
const (
	FieldImage  = "image"  // what the network sees
	FieldTarget = "target" // what makes the targets sees, of the same part of the image
)

// Augment is the pipeline of training that data.augment names: all views show the same part of the image.
func Augment(c *config.Config, views ...data.View) data.Pipeline {
	switch c.Data.Augment {
	case config.AugmentPad:
		return &data.PadCrop{Pad: c.Data.Pad, Views: views}
	case config.AugmentNone:
		return Plain(c, views...)
	}
	return &data.RandomCrop{Scale: [2]float64{c.Train.MinCropScale, 1}, Jitter: c.Data.Jitter, Views: views}
}

// Plain is the pipeline of validation.
func Plain(c *config.Config, views ...data.View) data.Pipeline {
	return &data.Eval{Whole: c.Data.Eval.Whole, Views: views}
}
