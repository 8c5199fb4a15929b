package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/beit/run/events"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
)

// loop is a run under way.
type loop struct {
	dir      string
	env      *method.Env
	task     method.Task
	opt      *optim.AdamW
	lr       optim.Schedule
	at       counters
	underway *unread // of the step under way; nil before its first micro-batch
	pending  *unread // of the last step
	reporter Reporter
	write    run.WriteFunc
	images   *method.Images
	open     method.Opener
	opened   *method.Model // at init_from, by the caller; may be nil
	skipped  map[string]bool
	notes    []string // of the setup
	memory   Memory   // what the run needs; zero where nobody wants to know
	resumed  bool     // from a checkpoint

	metrics *run.Metrics
	events  *events.Writer

	began, looping time.Time
	firstStep      int       // when looping began
	saved          time.Time // of the last checkpoint
	told           time.Time // of the last status
	clock          clock
	sums           *sums   // of gradients; nil in a group of one
	work           float64 // of the device when it was counted last

	health   *health
	warnings []string // that records gave and nobody was told yet
	knn      *knn     // nil where k-NN accuracy is not measured
}

// fresh begins a run that has its initial weights.
func (l *loop) fresh(ctx context.Context) (*Result, error) {
	err := l.agree()
	if err == nil {
		err = l.prepareFolder()
	}
	if err == nil {
		err = l.saveConfig()
	}
	l.status(run.StateRunning, nil)
	l.restWork()
	if p, ok := l.task.(method.Preparer); ok && err == nil {
		err = p.Prepare(ctx)
	}
	l.countWork()
	if err == nil {
		err = l.shareWeights()
	}
	if t := l.env.Config.Train; err == nil && (t.TimeBudget > 0 || t.FLOPBudget > 0) {
		if err = l.fitBudget(ctx); err == nil {
			err = l.saveConfig()
		}
	}
	if err != nil {
		return nil, l.ended(ctx, err)
	}
	return l.train(ctx)
}

// ended writes down how a run ended early, and names the error of one whose context was cancelled.
func (l *loop) ended(ctx context.Context, err error) error {
	if !interrupted(ctx, err) {
		l.status(run.StateFailed, err)
		return err
	}
	l.status(run.StateInterrupted, nil)
	return fmt.Errorf("%w after step %d of %d; the run in %s can be resumed", ErrInterrupted, l.at.Step, l.env.Steps(), l.dir)
}

// train goes on from l.at to the end of the run.
func (l *loop) train(ctx context.Context) (*Result, error) {
	err := l.steps(ctx)
	if err == nil {
		err = l.writeModel(filepath.Join(l.dir, l.env.Method.ModelFile))
	}
	if err != nil {
		return nil, l.ended(ctx, err)
	}
	if !l.leads() {
		return &Result{Dir: l.dir, Model: filepath.Join(l.dir, l.env.Method.ModelFile), Config: l.env.Config, Method: l.env.Method, Steps: l.at.Step}, nil
	}
	if why := l.health.diverged(); why != "" {
		l.status(run.StateDiverged, errors.New(why))
	} else {
		l.status(run.StateFinished, nil)
	}
	return l.result()
}

// steps does all steps that are left.
func (l *loop) steps(ctx context.Context) error {
	if err := l.prepareFolder(); err != nil {
		return err
	}
	l.status(run.StateRunning, nil)
	if r, ok := l.task.(method.Resumer); ok {
		if err := r.Ready(ctx); err != nil {
			return err
		}
	}
	if err := l.openRecords(); err != nil {
		return err
	}
	if err := l.checkWeights(); err != nil {
		return err
	}
	e := l.env
	l.lr = newSchedule(e.Config.Train, e.StepsPerEpoch)
	l.task.Set().ZeroGrad()
	l.looping, l.firstStep, l.saved = time.Now(), l.at.Step, time.Now()
	l.clock.restart()
	l.restWork()
	if l.at.Closed < e.Config.Train.Epochs {
		l.progress(0)
	}
	for l.at.Closed < e.Config.Train.Epochs {
		if s, ok := l.task.(method.EpochStarter); ok && l.at.Step == l.at.Closed*e.StepsPerEpoch {
			s.BeginEpoch()
		}
		err := l.epoch(ctx)
		if err == nil {
			err = l.closeEpoch(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// follow tells the task where the run is.
func (l *loop) follow() { l.env.Step, l.env.Epoch = l.at.Step, l.at.Closed+1 }

// epoch does the steps that are left of the epoch under way. The loader does not see ctx: a step that was begun is finished.
func (l *loop) epoch(ctx context.Context) error {
	perEpoch, accum, micro := l.env.StepsPerEpoch, l.env.Config.Train.AccumulationSteps, 0
	own := accum / l.env.Group.Size() // micro-batches of this process
	done := l.at.Step - l.at.Closed*perEpoch
	if done == perEpoch {
		return nil
	}
	for b, err := range l.env.Loader.Batches(context.WithoutCancel(ctx), l.at.Closed, done*accum) {
		if err != nil {
			return err
		}
		l.clock.batch(b, l.env.Group.Size())
		if l.sums != nil && micro == own-1 {
			l.sums.follow(l.env.Tape)
		}
		l.forwardBackward(b, b.Number%accum)
		if micro++; micro < own {
			l.progress(micro * l.env.Group.Size())
			if ctx.Err() != nil && l.repeatable() {
				return cmp.Or(l.dropStep(), ctx.Err())
			}
			continue
		}
		micro = 0
		if err := l.update(); err != nil {
			return err
		}
		if l.at.Step == (l.at.Closed+1)*perEpoch {
			return nil
		}
		stop, due, err := l.asked(ctx)
		if err != nil {
			return err
		}
		if stop {
			return cmp.Or(l.checkpoint(), stopError(ctx))
		}
		if due {
			if err := l.checkpoint(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("epoch %d: the images ended after step %d of %d", l.at.Closed+1, l.at.Step, perEpoch)
}

// repeatable says whether the step under way may be left and done again from its first micro-batch: no statistics followed its forward passes, and
// no other process waits for its gradient.
func (l *loop) repeatable() bool {
	_, observes := l.task.(method.Observer)
	return !observes && !l.grouped()
}

// dropStep leaves the step under way, and a checkpoint of the step before it.
func (l *loop) dropStep() error {
	l.underway.release()
	l.underway = nil
	l.task.Set().ZeroGrad()
	l.restWork()
	return l.checkpoint()
}

// checkpointDue says whether a checkpoint is due in the middle of an epoch.
func (l *loop) checkpointDue() bool {
	c := l.env.Config.Log
	return c.Checkpoint > 0 && l.at.Step%c.Checkpoint == 0 || c.CheckpointEvery > 0 && time.Since(l.saved) >= c.CheckpointEvery
}

// forwardBackward adds a micro-batch to the gradient and to the figures of the step.
func (l *loop) forwardBackward(b *data.Batch, micro int) {
	loss, scalars := l.task.Forward(l.context(micro), b)
	if o, ok := l.task.(method.Observer); ok {
		o.Observe()
	}
	if l.underway == nil {
		l.underway = &unread{}
	}
	l.underway.scalars.Keep(scalars)
	l.backward(loss)
}

// context is what a forward pass of the step under way gets.
func (l *loop) context(micro int) nn.Context {
	c := l.env.Context()
	c.Step, c.Micro = l.at.Step, micro
	return c
}

// backward adds a micro-batch's part of the gradient and frees what the tape holds.
func (l *loop) backward(loss *autograd.Var) {
	if parts := l.env.Config.Train.AccumulationSteps; parts > 1 {
		loss = autograd.Affine(loss, 1/float32(parts), 0)
	}
	l.env.Tape.Backward(loss)
	l.env.Tape.Reset()
}

// update is everything after the last backward of a step.
func (l *loop) update() error {
	now := l.underway
	l.underway = nil
	err := l.reduce()
	if err == nil {
		err = l.settle()
	}
	if err != nil {
		now.release()
		return err
	}
	lr := l.lr.At(l.at.Step)
	l.opt.Step(lr)
	if u, ok := l.task.(method.Updater); ok {
		u.Update(l.at.Step, l.opt.State())
	}
	now.step, now.state = l.at.Step, l.opt.State().Clone()
	now.fetch()
	l.pending = now
	l.task.Set().ZeroGrad()
	l.at.Step++
	l.follow()
	l.countWork()
	l.progress(0)
	if l.at.Step%l.env.Config.Log.Every != 0 {
		return nil
	}
	if err := l.settle(); err != nil {
		return err
	}
	v := l.at.Interval.Values()
	v[method.KeyLR] = lr
	if n, ok := l.task.(method.Narrator); ok {
		n.StepFigures(v)
	}
	l.clock.into(v, l.env.Device)
	v[method.KeyFLOPs] = l.at.Work
	l.at.Interval = method.Means{}
	defer l.warn()
	return l.record(run.Record{Kind: run.KindStep, Epoch: l.at.Closed + 1, Step: l.at.Step, Values: v})
}

// closeEpoch writes the records of a finished epoch and, where one is due, a checkpoint. When measuring on validation images is interrupted or
// fails, it leaves a checkpoint from which that starts again.
func (l *loop) closeEpoch(ctx context.Context) error {
	if err := l.settle(); err != nil {
		return err
	}
	average := l.at.Epoch.Values()
	if n, ok := l.task.(method.Narrator); ok {
		n.EpochFigures(average)
	}
	l.clock.epoch(average, l.env.Device)
	l.countWork()
	average[method.KeyFLOPs] = l.at.Work
	val, err := l.measureEpoch(l.whole(ctx), average)
	l.restWork()
	if err != nil && l.grouped() { // others may not have it
		return err
	} else if err != nil {
		return cmp.Or(l.checkpoint(), err)
	}
	if err := l.checkWeights(); err != nil {
		return err
	}
	if err := l.recordEpoch(average, val); err != nil {
		return err
	}
	l.at.Closed, l.at.Epoch = l.at.Closed+1, method.Means{}
	l.follow()
	c := l.env.Config
	last := l.at.Closed == c.Train.Epochs
	stop, due, err := l.asked(ctx)
	if err != nil {
		return err
	}
	if last || l.at.Closed%c.Log.CheckpointEpochs == 0 || stop || due {
		if err := l.checkpoint(); err != nil {
			return err
		}
	}
	l.clock.restart()
	if last || !stop {
		return nil
	}
	return stopError(ctx)
}

// measureEpoch validates and measures k-NN accuracy after the epochs that have these: val is nil without validation, and then the accuracy goes
// into average.
func (l *loop) measureEpoch(ctx context.Context, average map[string]float64) (val map[string]float64, err error) {
	e, epoch := l.env, l.at.Closed+1
	last := epoch == e.Config.Train.Epochs
	if e.Val != nil && (epoch%e.Config.Log.EvalEvery == 0 || last) {
		e.Phase("validate", 0, (e.Val.Len()+e.Config.Data.Eval.Batch-1)/e.Config.Data.Eval.Batch)
		if val, err = l.task.Validate(ctx); err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("validation: %w", err)
		}
	}
	if err == nil && l.knn != nil && (epoch == 1 || epoch%e.Config.Log.KNNEvery == 0 || last) {
		into := val
		if val == nil {
			into = average
		}
		if err = l.knn.measure(ctx, e, l.task.(method.Featurer), into); err != nil && ctx.Err() == nil {
			return nil, fmt.Errorf("k-NN accuracy: %w", err)
		}
	}
	if err != nil {
		return nil, ctx.Err()
	}
	return val, nil
}

// recordEpoch writes the records of the epoch under way, that of its validation only where there was one, and reports them.
func (l *loop) recordEpoch(average, val map[string]float64) error {
	if !l.leads() {
		return nil
	}
	defer l.warn()
	e := method.Epoch{Method: l.env.Config.Method, Number: l.at.Closed + 1, Of: l.env.Config.Train.Epochs, Train: average, Val: val}
	if err := l.record(run.Record{Kind: run.KindEpoch, Epoch: e.Number, Step: l.at.Step, Values: average}); err != nil {
		return err
	}
	if val != nil {
		rec := run.Record{Kind: run.KindVal, Epoch: e.Number, Step: l.at.Step, Values: val}
		if err := l.record(rec); err != nil {
			return err
		}
		if l.knn == nil {
			e.Trend = l.health.trendOf(rec)
		}
	}
	l.reporter.Epoch(e)
	return nil
}
