package train

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn/optim"
)

// schedule gives the learning rate of every step of a run.
type schedule struct {
	cosine optim.Cosine
	offset bool // the warm-up reaches the peak one step after its end
}

// newSchedule follows the configuration, apart from a warm-up that would fill the whole run: that takes half of it, so that the rate falls again.
func newSchedule(c config.Train, perEpoch int) schedule {
	warmup, total := c.WarmupEpochs*perEpoch, c.Epochs*perEpoch
	if warmup >= total {
		warmup = total / 2
	}
	return schedule{
		cosine: optim.Cosine{Peak: c.LR * c.LRFactor(), Min: c.MinLR, Warmup: warmup, Total: total},
		offset: c.WarmupOffset,
	}
}

func (s schedule) at(step int) float64 {
	if s.offset && step < s.cosine.Warmup {
		return s.cosine.Peak * float64(step) / float64(s.cosine.Warmup)
	}
	return s.cosine.At(step)
}
