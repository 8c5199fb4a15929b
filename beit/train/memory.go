package train

import (
	"context"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Memory is what a run needs of its device's memory, in bytes. Images in the cache and the process itself come on top.
type Memory struct {
	Model             int64 `json:"model_bytes"` // weights, gradients, moments of the optimiser, networks that make targets
	Step              int64 `json:"step_bytes"`  // what a step takes besides: activations and work space
	Batch             int   `json:"batch"`       // images of a step
	AccumulationSteps int   `json:"accumulation_steps"`
}

// Peak is the most that the run has in use at a time.
func (m Memory) Peak() int64 { return m.Model + m.Step }

// EstimateMemory works out what the run that Run would begin needs, by going through two steps on a device that only counts. It reads images
// and writes nothing. Of env the device is not looked at.
func EstimateMemory(ctx context.Context, m *method.Method, cfg *config.Config, env Env) (mem Memory, err error) {
	if err := cfg.Check(); err != nil {
		return mem, err
	}
	env.Device = tensor.NewPlanner()
	l, err := newLoop("", m, cfg.Clone(), env, state.WriteFileAtomic)
	if err != nil {
		return mem, err
	}
	defer l.close()
	l.task.Set().ZeroGrad()
	t := l.env.Config.Train
	mem = Memory{Model: env.Device.MemStats().InUse, Batch: t.Batch, AccumulationSteps: t.AccumulationSteps}
	if s, ok := l.task.(method.EpochStarter); ok {
		s.BeginEpoch()
	}
	for b, err := range l.env.Loader.Batches(ctx, 0, 0) {
		if err != nil {
			return mem, err
		}
		for step := range 2 {
			l.forwardBackward(b, 0)
			l.opt.Step(0)
			l.underway.release()
			l.underway = nil
			if u, ok := l.task.(method.Updater); ok {
				u.Update(step, l.opt.State())
			}
			l.task.Set().ZeroGrad()
		}
		break
	}
	mem.Step = env.Device.MemStats().Peak - mem.Model
	return mem, nil
}
