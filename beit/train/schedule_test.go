package train

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/finetune"
	"github.com/gobeit/gobeit/beit/pretrain"
)

// The learning rate of the run of the authors' code: its warm-up reaches the peak one step after its end.
func TestReferenceSchedule(t *testing.T) {
	s := newSchedule(pretrain.Method.Preset(config.ReferencePreset).Train, 156)
	peak := 1.5e-3
	for step, want := range map[int]float64{
		0: 0, 1: peak / 156, 155: peak * 155 / 156, 156: peak, 858: 1e-5 + (peak-1e-5)/2,
	} {
		if got := s.At(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("learning rate at step %d: %g, want %g", step, got, want)
		}
	}
}

func TestShortRunsWarmUpHalfway(t *testing.T) {
	s := newSchedule(config.Train{LR: 1, Epochs: 1, WarmupEpochs: 1, LRBatch: 1, Batch: 1}, 100)
	if s.At(49) != 1 || s.At(99) > 0.01 {
		t.Errorf("rates %g at step 49, %g at step 99", s.At(49), s.At(99))
	}
}

// A published recipe keeps a warm-up that takes more than half of it.
func TestPublishedWarmUpIsKept(t *testing.T) {
	c := finetune.Method.Preset("base_21k")
	if s := newSchedule(c.Train, 100); s.At(1999) != 5e-5 || s.At(1499) >= 5e-5 || s.At(2200) >= 5e-5 {
		t.Errorf("rates %g at the end of the warm-up of 2000 steps, %g before, %g after", s.At(1999), s.At(1499), s.At(2200))
	}
}

// The recipe for ADE20K: 160,000 steps, of which 1,500 warm up. The values are those of mmcv's poly policy, computed by hand.
func TestPolySchedule(t *testing.T) {
	s := newSchedule(config.Train{LR: 5e-5, Poly: true, Epochs: 10, WarmupSteps: 1500, LRBatch: 1, Batch: 1}, 16000)
	for step, want := range map[int]float64{
		0: 5e-11, 750: 5e-5 * (1 - 750./160000) * (1 - 0.5*(1-1e-6)), 1500: 5e-5 * (1 - 1500./160000), 80000: 2.5e-5, 159999: 5e-5 / 160000, 160000: 0,
	} {
		if got := s.At(step); math.Abs(got-want) > 1e-17 {
			t.Errorf("learning rate at step %d: %g, want %g", step, got, want)
		}
	}
}
