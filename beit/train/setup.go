package train

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// newLoop opens images and upstream models and builds the network. It writes nothing. What does not fit into memory is refused before, where env
// wants to be told of the run.
func newLoop(ctx context.Context, dir string, m *method.Method, cfg *config.Config, env Env, write run.WriteFunc) (*loop, error) {
	l, err := openLoop(dir, m, cfg, env, write)
	if err == nil && env.Begin != nil {
		l.memory, err = l.checkMemory(ctx)
	}
	if err == nil {
		err = l.build()
	}
	if err != nil {
		l.close()
		return nil, err
	}
	l.tellImages()
	return l, nil
}

// tellImages tells what was found.
func (l *loop) tellImages() {
	l.images.Tell(l.reporter)
	for _, m := range l.env.Upstream {
		method.Tell(l.reporter, m.Warnings())
	}
	for _, note := range l.notes {
		l.reporter.Notice(note)
	}
}

// openLoop opens images and upstream models. It allocates nothing on the device.
func openLoop(dir string, m *method.Method, cfg *config.Config, env Env, write run.WriteFunc) (l *loop, err error) {
	l = &loop{
		dir: dir, reporter: cmp.Or[Reporter](env.Reporter, Silent{}), write: write, open: env.Open, opened: env.Start,
		skipped: map[string]bool{}, began: time.Now(), resumed: env.wanted != "",
	}
	if l.open == nil {
		l.open = func(path, _ string) (*method.Model, error) {
			return nil, fmt.Errorf("%s: nobody here opens models", path)
		}
	}
	e := &method.Env{
		Method: m, Config: cfg, Device: env.Device, Group: cmp.Or(env.Group, dist.Single()), Reporter: l.reporter, Skipped: l.warnSkipped,
		SaveModel: func(file string) error { return l.writeModel(filepath.Join(dir, file)) }, Epoch: 1,
	}
	l.env = e
	if e.Device == nil {
		e.Device = tensor.CPU()
	}
	e.Tape = autograd.NewTape(e.Device)
	if cfg.Precision == config.PrecisionAuto {
		cfg.Precision = e.Device.FastPrecision().String()
	}
	if e.Tape.Precision, err = tensor.ParsePrecision(cfg.Precision); err != nil {
		return l, fmt.Errorf("precision: %w", err)
	}
	if err := l.openImages(env); err != nil {
		return l, err
	}
	e.Train, e.Val = l.images.Train, l.images.Val
	if env.FitImages {
		l.fitImages()
	}
	l.fitBatch()
	if err := cfg.Check(); err != nil { // of a batch that follows from the images
		return l, fmt.Errorf("%w (training images: %d)", err, e.Train.Len())
	}
	if e.Loader, err = l.trainLoader(); err != nil {
		return l, err
	}
	if err := l.share(); err != nil {
		return l, err
	}
	e.StepsPerEpoch = e.Loader.Len() / cfg.Train.AccumulationSteps
	if n := cfg.Train.EpochSteps; n > e.StepsPerEpoch {
		return l, fmt.Errorf("train.epoch_steps = %d: the training images give %d steps", n, e.StepsPerEpoch)
	} else if n > 0 {
		e.StepsPerEpoch = n
	}
	l.at = counters{Data: l.images.Fingerprint(), Train: data.ContentsOf(e.Train), Val: data.ContentsOf(e.Val), Interval: method.Means{}, Epoch: method.Means{}}
	return l, l.openUpstream()
}

// trainLoader makes a loader of the micro-batches that the configuration says.
func (l *loop) trainLoader() (*data.Loader, error) {
	return l.env.TrainLoader(tensor.HashString(l.env.Method.Stream))
}

// openImages opens the images: those that version 0.1 found where a run was begun with these.
func (l *loop) openImages(env Env) (err error) {
	cfg, size := l.env.Config, l.env.Method.ImageSize(l.env.Config)
	if env.FitImages {
		l.images, err = l.openAndHoldOut(env.Source)
	} else {
		l.images, err = method.OpenImagesToTrain(cfg, size, env.Source)
	}
	if err != nil || env.wanted == "" || env.Source != nil {
		return err
	}
	if env.wanted == l.images.Fingerprint() {
		return nil
	}
	before, err := method.OpenImagesAsBefore(cfg, size)
	if err != nil {
		return nil // restore says that the images are others
	}
	if before.Fingerprint() != env.wanted {
		return before.Close()
	}
	l.reporter.Warning(fmt.Sprintf("an older version began this run and found fewer images in %s: the run goes on with the %d training images of then, a new run has %d",
		cfg.Data.Path, before.Train.Len(), l.images.Train.Len()))
	now := l.images
	l.images = before
	return now.Close()
}

// openUpstream opens the models that the method learns from.
func (l *loop) openUpstream() (err error) {
	e := l.env
	if e.Upstream, err = e.Method.OpenUpstream(e.Config, l.open); err != nil {
		return err
	}
	if m := e.Upstream[e.Method.FixedRole(e.Config, e.Upstream)]; m != nil {
		l.at.Source, err = m.Digest()
	}
	return err
}

// build makes the network under training and its optimiser.
func (l *loop) build() (err error) {
	e := l.env
	var q *queue
	if l.grouped() {
		q = newQueue(e.Group)
		e.Group = q
	}
	if l.task, err = e.Method.Task(e); err != nil {
		return err
	}
	if q != nil {
		l.sums = newSums(l.task.Set(), q, bucket)
	}
	t := e.Config.Train
	c := optim.AdamWConfig{Beta1: t.Beta1, Beta2: t.Beta2, Eps: t.Eps, Decay: t.Decay, Clip: t.Clip}
	if s, ok := l.task.(method.LRScaler); ok {
		c.LRScale = s.LRScale
	}
	l.opt = optim.NewAdamW(l.task.Set(), c)
	l.knn, err = newKNN(e, l.task)
	return err
}

// note is told when the run is set up.
func (l *loop) note(format string, args ...any) {
	l.notes = append(l.notes, fmt.Sprintf(format, args...))
}

// fitBatch shrinks a batch that is larger than the data set, and notes what there is to say about the images and the batch.
func (l *loop) fitBatch() {
	t, n := &l.env.Config.Train, l.env.Train.Len()
	if t.Batch > n {
		asked, micro := t.Batch, min(t.Batch/t.AccumulationSteps, n)
		t.AccumulationSteps = n / micro
		t.Batch = micro * t.AccumulationSteps
		l.note("the batch shrinks from %d to %d: there are %d training images", asked, t.Batch, n)
	}
	if f := t.LRFactor(); f != 1 {
		l.note("learning rate %.3g, meant for batches of %d, becomes %.3g for batches of %d", t.LR, t.LRBatch, t.LR*f, t.Batch)
	}
	if l.env.Config.Data.ValFraction > 0 && !l.images.Split {
		l.note("the images have a validation part of their own: data.val_fraction is not used")
	}
	if l.env.Val == nil {
		l.note("there are no validation images: nothing is validated (see data.eval_path and data.val_fraction)")
	}
}

// release gives back what the loop has on its device.
func (l *loop) release() {
	for _, u := range []*unread{l.pending, l.underway} {
		if u != nil {
			u.release()
		}
	}
	l.env.Tape.Reset()
	if l.opt != nil {
		l.opt.Release()
	}
	if l.task != nil {
		l.task.Release()
	}
}

func (l *loop) close() {
	if q, ok := l.env.Group.(*queue); ok {
		q.stop()
	}
	l.release()
	l.env.Upstream.Close()
	if l.metrics != nil {
		l.metrics.Close()
	}
	if l.events != nil {
		l.events.Close()
	}
	if l.images != nil {
		l.images.Close()
	}
}

// start gives a fresh run the weights of the model at init_from.
func (l *loop) start() error {
	path := l.env.Config.InitFrom
	if path == "" {
		return nil
	}
	m := l.opened
	if m == nil {
		var err error
		if m, err = l.open(path, l.env.Config.InitKey); err != nil {
			return fmt.Errorf("init_from: %w", err)
		}
		defer m.Close()
	}
	method.Tell(l.reporter, m.Warnings())
	var err error
	if s, ok := l.task.(method.Starter); ok {
		err = s.StartFrom(m)
	} else {
		err = method.StartStrictly(l.task, l.env.Method, m)
	}
	if err != nil {
		return fmt.Errorf("init_from: %w", err)
	}
	return nil
}
