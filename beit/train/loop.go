package train

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// writeFunc is state.WriteFileAtomic, or in tests a disk that is full.
type writeFunc func(path string, write func(w io.Writer) error) error

// task is what differs between the stages.
type task interface {
	set() *nn.Set
	// finished lists what a finished model holds, the whole set or a part of it. init_from takes the same.
	finished() []*nn.Param
	release()
	// prepare is called before the first update of a fresh run, with initial weights in place.
	prepare(ctx context.Context) error
	// ready is called before the first update, whether the run is fresh or resumed.
	ready(ctx context.Context) error
	// begin is called before the first update of an epoch.
	begin()
	// forward returns the loss of a micro-batch. It changes nothing that lasts: only the pictures of b, which fine-tuning may mix in place.
	forward(c nn.Context, b *data.Batch) *autograd.Var
	// commit takes note of the last forward, before its backward: statistics, and readings for the metrics.
	commit(c nn.Context)
	// take hands over the readings of the micro-batches committed since the last time.
	take() *readings
	// update is called after the optimizer's, step counting from 0.
	update(step int)
	// settled is called with readings that the device has finished.
	settled(r *readings)
	// describe adds to a step record, describeEpoch to an epoch record.
	describe(v map[string]float64)
	describeEpoch(v map[string]float64)
	// validate measures the model on the validation pictures.
	validate(ctx context.Context) (map[string]float64, error)
	// save and restore are about state that is not in the set. restore finds its tensors in f.
	save() ([]state.Named, json.RawMessage)
	restore(f *state.File, text json.RawMessage) error
	// rewind undoes the last update of state that is not under the optimizer.
	rewind()
	// inspect runs a micro-batch's forward again and calls check with everything on the way.
	inspect(c nn.Context, b *data.Batch, check func(name string, t *tensor.Tensor)) *autograd.Var
}

// run is a run under way.
type run struct {
	dir      string
	cfg      Config
	env      Env
	write    writeFunc
	dev      *tensor.Device
	tape     *autograd.Tape
	pictures *pictures
	loader   *data.Loader // of micro-batches
	perEpoch int          // updates
	task     task
	opt      *optim.AdamW
	lr       schedule
	at       counters
	pending  *readings // of the last update
	metrics  *os.File
	events   *os.File // for TensorBoard

	classes []string        // names of the classes that a classifier tells apart; nil in other stages
	skipped map[string]bool // unreadable pictures that the reporter heard of

	began, looping time.Time
	firstStep      int // when looping began
	clock          clock
}

// newRun opens pictures and builds the model. It writes nothing.
func newRun(dir string, cfg Config, env Env, write writeFunc) (r *run, err error) {
	env.Reporter = cmp.Or[Reporter](env.Reporter, silent{})
	if env.Device == nil {
		env.Device = tensor.CPU()
	}
	r = &run{
		dir: dir, cfg: cfg, env: env, write: write, dev: env.Device, tape: autograd.NewTape(env.Device), skipped: map[string]bool{},
		began: time.Now(),
	}
	made := r // r is nil after a return with an error
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	if r.tape.Precision, err = tensor.ParsePrecision(cfg.Precision); err != nil {
		return nil, fmt.Errorf("precision: %w", err)
	}
	if r.pictures, err = openPictures(cfg, env.Source); err != nil {
		return nil, err
	}
	r.fitBatch()
	t := r.cfg.Train
	r.loader, err = r.cfg.trainLoader(r.pictures.train, tensor.HashString(string(cfg.Stage)), r.warnSkipped)
	if err != nil {
		return nil, err
	}
	r.perEpoch = r.loader.Len() / t.Accum
	r.at = counters{Data: r.pictures.fingerprint(), Interval: means{}, Epoch: means{}}
	switch cfg.Stage {
	case Tokenizer:
		r.task, err = newTokenizerTask(r)
	case Teacher:
		r.task, err = newDistillTask(r)
	case Finetune:
		r.task, err = newFinetuneTask(r)
	default:
		r.task, err = newPretrainTask(r)
	}
	if err != nil {
		return nil, err
	}
	r.opt = optim.NewAdamW(r.task.set(), optim.AdamWConfig{Beta1: t.Beta1, Beta2: t.Beta2, Eps: t.Eps, Decay: t.Decay, Clip: t.Clip, LRScale: r.lrScale()})
	return r, nil
}

// fitBatch shrinks a batch that is larger than the data set.
func (r *run) fitBatch() {
	t, n := &r.cfg.Train, r.pictures.train.Len()
	if t.Batch > n {
		asked, micro := t.Batch, min(t.Batch/t.Accum, n)
		t.Accum = n / micro
		t.Batch = micro * t.Accum
		r.env.Reporter.Notice(fmt.Sprintf("the batch shrinks from %d to %d: there are %d training pictures", asked, t.Batch, n))
	}
	if f := t.lrFactor(); f != 1 {
		r.env.Reporter.Notice(fmt.Sprintf("learning rate %.3g, meant for batches of %d, becomes %.3g for batches of %d", t.LR, t.LRBatch, t.LR*f, t.Batch))
	}
	if r.pictures.val == nil {
		r.env.Reporter.Notice("there are no validation pictures: nothing is validated (see data.eval_path and data.val_fraction)")
	}
}

func (r *run) close() {
	if r.pending != nil {
		r.pending.release()
	}
	r.tape.Reset()
	if r.opt != nil {
		r.opt.Release()
	}
	if r.task != nil {
		r.task.release()
	}
	for _, f := range []*os.File{r.metrics, r.events} {
		if f != nil {
			f.Close()
		}
	}
	if r.pictures != nil {
		r.pictures.close()
	}
}

// fresh begins a run that has its initial weights.
func (r *run) fresh(ctx context.Context) (*Result, error) {
	if err := os.MkdirAll(filepath.Join(r.dir, checkpointDir), 0o777); err != nil {
		return nil, fmt.Errorf("run folder: %w", err)
	}
	err := r.saveConfig()
	if err == nil {
		err = r.task.prepare(ctx)
	}
	if err == nil && r.cfg.Train.TimeBudget > 0 {
		if err = r.chooseEpochs(ctx); err == nil {
			err = r.saveConfig()
		}
	}
	if err != nil {
		return nil, r.interrupted(ctx, err)
	}
	return r.train(ctx)
}

// interrupted names the error of a run whose context was cancelled.
func (r *run) interrupted(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || !errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w after update %d of %d; the run in %s can be resumed", ErrInterrupted, r.at.Step, r.cfg.Train.Epochs*r.perEpoch, r.dir)
}

// train goes on from r.at to the end of the run.
func (r *run) train(ctx context.Context) (*Result, error) {
	for _, dir := range []string{r.dir, filepath.Join(r.dir, checkpointDir)} {
		if err := state.CleanTemp(dir); err != nil {
			return nil, err
		}
	}
	if err := r.task.ready(ctx); err != nil {
		return nil, r.interrupted(ctx, err)
	}
	if err := r.openMetrics(); err != nil {
		return nil, err
	}
	r.lr = newSchedule(r.cfg.Train, r.perEpoch)
	r.task.set().ZeroGrad()
	r.looping, r.firstStep = time.Now(), r.at.Step
	r.clock.restart()
	for r.at.Closed < r.cfg.Train.Epochs {
		if r.at.Step == r.at.Closed*r.perEpoch {
			r.task.begin()
		}
		err := r.epoch(ctx)
		if err == nil {
			err = r.closeEpoch(ctx)
		}
		if err != nil {
			return nil, r.interrupted(ctx, err)
		}
	}
	if err := r.saveModel(); err != nil {
		return nil, err
	}
	return r.result()
}

func (r *run) result() (*Result, error) {
	res, err := resultOf(r.dir, r.cfg)
	if err != nil {
		return nil, err
	}
	if res.Unreadable = len(r.skipped); res.Unreadable > 0 {
		r.env.Reporter.Notice(fmt.Sprintf("%d pictures could not be read; other training pictures stood in for them", res.Unreadable))
	}
	return res, nil
}

// resultOf reads what the finished run in dir left.
func resultOf(dir string, cfg Config) (*Result, error) {
	list, err := ReadMetrics(dir)
	if err != nil {
		return nil, err
	}
	res := &Result{Dir: dir, Model: filepath.Join(dir, cfg.Stage.modelName()), Config: cfg}
	for _, rec := range list {
		if rec.Kind == KindVal || rec.Kind == KindEpoch && res.Final.Kind != KindVal {
			res.Final = rec
		}
		res.Steps = rec.Step
	}
	return res, nil
}

// epoch does the updates that are left of the epoch under way. The loader does not see ctx: a step that was begun is finished.
func (r *run) epoch(ctx context.Context) error {
	done := r.at.Step - r.at.Closed*r.perEpoch
	if done == r.perEpoch {
		return nil
	}
	accum, micro := r.cfg.Train.Accum, 0
	for b, err := range r.loader.Batches(context.WithoutCancel(ctx), r.at.Closed, done*accum) {
		if err != nil {
			return err
		}
		r.clock.batch(b)
		c := r.context(micro)
		loss := r.task.forward(c, b)
		r.task.commit(c)
		r.backward(loss)
		if micro++; micro < accum {
			continue
		}
		micro = 0
		if err := r.update(); err != nil {
			return err
		}
		if r.at.Step == (r.at.Closed+1)*r.perEpoch {
			return nil
		}
		if ctx.Err() != nil {
			return cmp.Or(r.checkpoint(), ctx.Err())
		}
		if n := r.cfg.Log.Checkpoint; n > 0 && r.at.Step%n == 0 {
			if err := r.checkpoint(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("epoch %d: the pictures ended after update %d of %d", r.at.Closed+1, r.at.Step, r.perEpoch)
}

// context is what a forward pass of the update under way gets.
func (r *run) context(micro int) nn.Context {
	return nn.Context{Tape: r.tape, Train: true, Seed: r.cfg.Seed, Step: r.at.Step, Micro: micro}
}

// backward adds a micro-batch's part of the gradient and frees what the tape holds.
func (r *run) backward(loss *autograd.Var) {
	if accum := r.cfg.Train.Accum; accum > 1 {
		loss = autograd.Affine(loss, 1/float32(accum), 0)
	}
	r.tape.Backward(loss)
	r.tape.Reset()
}

// update is everything after the last backward of a step.
func (r *run) update() error {
	now := r.task.take()
	if err := r.settle(); err != nil {
		now.release()
		return err
	}
	lr := r.lr.at(r.at.Step)
	r.opt.Step(lr)
	r.task.update(r.at.Step)
	now.step, now.state = r.at.Step, r.opt.State().Clone()
	r.pending = now
	r.task.set().ZeroGrad()
	r.at.Step++
	r.progress(lr)
	if r.at.Step%r.cfg.Log.Every != 0 {
		return nil
	}
	if err := r.settle(); err != nil {
		return err
	}
	v := r.at.Interval.values()
	v["lr"] = lr
	r.task.describe(v)
	r.clock.into(v, r.dev)
	r.at.Interval = means{}
	return r.record(Record{Kind: KindStep, Epoch: r.at.Closed + 1, Step: r.at.Step, Values: v})
}

// settle reads what the last update left on the device, and stops the run when its gradient was not finite.
func (r *run) settle() error {
	p := r.pending
	if p == nil {
		return nil
	}
	r.pending = nil
	defer p.release()
	if !p.finite() {
		return r.diagnose(p.step)
	}
	m := means{}
	p.into(m)
	r.at.Interval.merge(m)
	r.at.Epoch.merge(m)
	r.task.settled(p)
	return nil
}

// closeEpoch writes the records of a finished epoch and a checkpoint. When validation is interrupted or fails, it leaves a checkpoint
// from which validation starts again.
func (r *run) closeEpoch(ctx context.Context) error {
	if err := r.settle(); err != nil {
		return err
	}
	epoch := r.at.Closed + 1
	average := r.at.Epoch.values()
	r.task.describeEpoch(average)
	r.clock.epoch(average, r.dev)
	list := []Record{{Kind: KindEpoch, Epoch: epoch, Step: r.at.Step, Values: average}}
	if r.pictures.val != nil && (epoch%r.cfg.Log.EvalEvery == 0 || epoch == r.cfg.Train.Epochs) {
		v, err := r.task.validate(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return cmp.Or(r.checkpoint(), ctx.Err())
			}
			return cmp.Or(r.checkpoint(), fmt.Errorf("validation: %w", err))
		}
		list = append(list, Record{Kind: KindVal, Epoch: epoch, Step: r.at.Step, Values: v})
	}
	for _, rec := range list {
		if err := r.record(rec); err != nil {
			return err
		}
	}
	r.at.Closed, r.at.Epoch = epoch, means{}
	if err := r.checkpoint(); err != nil {
		return err
	}
	r.clock.restart()
	if epoch < r.cfg.Train.Epochs {
		return ctx.Err()
	}
	return nil
}

// warnSkipped names a picture that cannot be read, once for all loaders of the run.
func (r *run) warnSkipped(s data.Skipped) {
	if !r.skipped[s.Name] {
		r.skipped[s.Name] = true
		r.env.Reporter.Warning(leftOut(s))
	}
}

func leftOut(s data.Skipped) string { return fmt.Sprintf("picture left out: %v", s.Err) }
