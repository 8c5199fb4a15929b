package train

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/state"
)

// Measured is what the parts of a run take, and how many of them there can be.
type Measured struct {
	Train, Val    int     // images; Val is 0 where nothing is validated
	Batch         int     // images of a step
	StepsPerEpoch int     // at most
	Step          Price   // without validation and checkpoints
	Validation    float64 // seconds
	Checkpoint    float64 // seconds
}

// How many batches are timed: of validation, and at least of training.
const (
	measuredVal   = 2
	measuredLeast = 2
)

// Measure measures the run that Run would begin: a few micro-batches, a part of a validation, and a checkpoint, which it leaves in dir. What a run
// does before its first step, such as the k-means of a tokenizer, is not done; what depends on it comes from the model at init_from.
func Measure(ctx context.Context, dir string, m *method.Method, cfg *config.Config, env Env) (Measured, error) {
	if err := cfg.Check(); err != nil {
		return Measured{}, err
	}
	l, err := newLoop(ctx, dir, m, cfg.Clone(), env, state.WriteFileAtomic)
	if err != nil {
		return Measured{}, err
	}
	defer l.close()
	if err := l.start(); err != nil {
		return Measured{}, err
	}
	if err := run.Prepare(dir); err != nil {
		return Measured{}, err
	}
	e := l.env
	found := Measured{Train: e.Train.Len(), Batch: e.Config.Train.Batch, StepsPerEpoch: e.StepsPerEpoch}
	l.task.Set().ZeroGrad()
	if found.Step, err = l.measure(ctx, measuredLeast); err != nil {
		return Measured{}, err
	}
	if e.Val != nil {
		found.Val = e.Val.Len()
		e.Val = method.AtMost(e.Val, measuredVal*e.Config.Data.Eval.Batch, e.Config.Seed)
		if found.Validation, err = seconds(func() error { _, err := l.task.Validate(ctx); return err }); err != nil {
			return Measured{}, err
		}
		found.Validation *= float64(found.Val) / float64(e.Val.Len())
	}
	if err := l.openRecords(); err != nil {
		return Measured{}, err
	}
	found.Checkpoint, err = seconds(l.checkpoint)
	return found, err
}

// seconds is how long f takes.
func seconds(f func() error) (float64, error) {
	began := time.Now()
	err := f()
	return secondsSince(began), err
}
