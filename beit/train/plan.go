package train

import (
	"context"

	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Memory is what a run needs of its device's memory, in bytes. Pictures in the cache and the process itself come on top.
type Memory struct {
	Model int64 `json:"model_bytes"` // weights, gradients, moments of the optimizer, networks that make targets
	Step  int64 `json:"step_bytes"`  // what an update takes besides: activations and work space
	Batch int   `json:"batch"`       // pictures of an update
	Accum int   `json:"accum"`       // parts that it is processed in
}

// Peak is the most that the run has in use at a time.
func (m Memory) Peak() int64 { return m.Model + m.Step }

// Plan works out what the run that Run would begin needs, by going through two updates on a device that only counts. It reads pictures
// and writes nothing. Of env the device is not looked at.
func Plan(ctx context.Context, cfg Config, env Env) (m Memory, err error) {
	if err := cfg.Check(); err != nil {
		return m, err
	}
	env.Device = tensor.NewPlanner()
	r, err := newRun("", cfg.clone(), env, state.WriteFileAtomic)
	if err != nil {
		return m, err
	}
	defer r.close()
	r.task.set().ZeroGrad()
	m = Memory{Model: r.dev.MemStats().InUse, Batch: r.cfg.Train.Batch, Accum: r.cfg.Train.Accum}
	r.task.begin()
	for b, err := range r.loader.Batches(ctx, 0, 0) {
		if err != nil {
			return m, err
		}
		for update := range 2 {
			c := r.context(0)
			loss := r.task.forward(c, b)
			r.task.commit(c)
			r.backward(loss)
			r.opt.Step(0)
			r.task.take().release()
			r.task.update(update)
			r.task.set().ZeroGrad()
		}
		break
	}
	m.Step = r.dev.MemStats().Peak - m.Model
	return m, nil
}
