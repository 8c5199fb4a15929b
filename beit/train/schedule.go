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

func newSchedule(c TrainConfig, perEpoch int) schedule {
	total := c.Epochs * perEpoch
	return schedule{
		cosine: optim.Cosine{
			Peak: c.LR * c.lrFactor(), Min: c.MinLR, Warmup: min(c.WarmupEpochs*perEpoch, total/2), Total: total,
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
