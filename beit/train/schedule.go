package train

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn/optim"
)

// warmupRatio is where a warm-up before a straight line begins, as a part of the rate: mmcv's recipes of segmentation have it.
const warmupRatio = 1e-6

// newSchedule gives the learning rate of every step of a run. It follows the configuration, apart from a warm-up that would fill the whole run: that
// takes half of it, so that the rate falls again.
func newSchedule(c config.Train, perEpoch int) optim.Schedule {
	warmup, total := c.WarmupEpochs*perEpoch, c.Epochs*perEpoch
	if c.WarmupSteps > 0 {
		warmup = c.WarmupSteps
	}
	if warmup >= total {
		warmup = total / 2
	}
	peak := c.LR * c.LRFactor()
	if c.Poly {
		return optim.Warmup{Schedule: optim.Polynomial{Peak: peak, Min: c.MinLR, Power: 1, Total: total}, Steps: warmup, Ratio: warmupRatio}
	}
	cosine := optim.Cosine{Peak: peak, Min: c.MinLR, Warmup: warmup, Total: total}
	if c.WarmupOffset {
		return offsetWarmup{cosine}
	}
	return cosine
}

// offsetWarmup is a Cosine whose warm-up reaches the peak one step after its end.
type offsetWarmup struct{ optim.Cosine }

// At returns the learning rate of a step.
func (o offsetWarmup) At(step int) float64 {
	if step < o.Warmup {
		return o.Peak * float64(step) / float64(o.Warmup)
	}
	return o.Cosine.At(step)
}
