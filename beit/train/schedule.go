package train

import (
	"math"

	"github.com/gobeit/gobeit/nn/optim"
)

// schedule gives the learning rate of every update of a run.
type schedule struct {
	cosine optim.Cosine
	open   bool // the warm-up reaches the peak one step after its end
}

// newSchedule follows the configuration, apart from a warm-up that would fill the whole run: that takes half of it, so that the rate falls again.
func newSchedule(c TrainConfig, perEpoch int) schedule {
	warmup, total := c.WarmupEpochs*perEpoch, c.Epochs*perEpoch
	if warmup >= total {
		warmup = total / 2
	}
	return schedule{
		cosine: optim.Cosine{
			Peak: c.LR * c.lrFactor(), Min: c.MinLR, Warmup: warmup, Total: total,
		},
		open: c.OpenWarmup,
	}
}

func (s schedule) at(step int) float64 {
	if s.open && step < s.cosine.Warmup {
		return s.cosine.Peak * float64(step) / float64(s.cosine.Warmup)
	}
	return s.cosine.At(step)
}

// lrFactor is what the configured learning rate is multiplied by, for a batch other than the one that it is meant for.
func (c TrainConfig) lrFactor() float64 {
	ratio := float64(c.Batch) / float64(c.LRBatch)
	switch c.LRScaling {
	case "linear":
		return ratio
	case "sqrt":
		return math.Sqrt(ratio)
	}
	return 1
}
