package finetune

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// augment is the pipeline of training.
func augment(c *config.Config) data.Pipeline {
	view := card(c).Input.View()
	if c.Data.Augment == config.AugmentNone {
		return method.Plain(c, view)
	}
	s := SectionOf(c)
	p := &data.FineTune{
		View: view, Scale: [2]float64{c.Train.MinCropScale, 1}, Padded: c.Data.Augment == config.AugmentPad, Pad: c.Data.Pad,
		Jitter: c.Data.Jitter, Erase: s.Erase,
	}
	if s.RandMagnitude > 0 {
		p.Rand = &data.RandAugment{Magnitude: s.RandMagnitude, Ops: s.RandOps, Fill: data.ImageNetFill}
	}
	return p
}
