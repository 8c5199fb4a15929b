package train

import (
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/nn/optim"
)

// schedule gives the learning rate of every step of a run.
type schedule struct {
	cosine optim.Cosine
	offset bool // the warm-up reaches the peak one step after its end
	poly   bool // a straight line in place of the cosine
}

// newSchedule follows the configuration, apart from a warm-up that would fill the whole run: that takes half of it, so that the rate falls again.
func newSchedule(c config.Train, perEpoch int) schedule {
	warmup, total := c.WarmupEpochs*perEpoch, c.Epochs*perEpoch
	if c.WarmupSteps > 0 {
		warmup = c.WarmupSteps
	}
	if warmup >= total {
		warmup = total / 2
	}
	return schedule{
		cosine: optim.Cosine{Peak: c.LR * c.LRFactor(), Min: c.MinLR, Warmup: warmup, Total: total},
		offset: c.WarmupOffset, poly: c.Poly,
	}
}

func (s schedule) at(step int) float64 {
	switch c := s.cosine; {
	case s.poly:
		return s.line(step)
	case s.offset && step < c.Warmup:
		return c.Peak * float64(step) / float64(c.Warmup)
	}
	return s.cosine.At(step)
}

// warmupRatio is where a warm-up before a straight line begins, as a part of the rate.
const warmupRatio = 1e-6

// line is the schedule of mmcv's poly policy of power 1 with a linear warm-up: that multiplies the falling rate.
func (s schedule) line(step int) float64 {
	c := s.cosine
	rate := c.Min + (c.Peak-c.Min)*(1-float64(min(step, c.Total))/float64(c.Total))
	if step < c.Warmup {
		rate *= 1 - (1-float64(step)/float64(c.Warmup))*(1-warmupRatio)
	}
	return rate
}
