package serve

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gobeit/gobeit/beit/infer"
	"github.com/gobeit/gobeit/beit/run"
	"github.com/gobeit/gobeit/tensor"
)

// maxWaiting is how many requests with images may be under way. Their images are in memory.
const maxWaiting = 8

// idleModel is how long a model that nobody uses stays open.
const idleModel = 2 * time.Minute

// errBusy says that there are too many requests with images.
var errBusy = problem{errors.New("too many images are being looked at: try again in a moment"), http.StatusServiceUnavailable}

// models has the model by which images are looked at. There is one at a time, which is opened when it is needed and closed when it is idle. One
// request at a time computes, since an operation takes all processors.
type models struct {
	device  *tensor.Device
	waiting chan struct{}
	turn    chan struct{} // full while somebody uses what follows

	open  *opened
	dir   string
	stamp [3]time.Time
	idle  *time.Timer
}

// opened is the model of a run.
type opened struct {
	infer.Attentive
	predictor *infer.Predictor // of a pretraining run whose tokenizer is there, and else nil
	finder    *finder          // of a run with an index of images, and else nil
	notes     []string         // why something is not there
}

func newModels(device *tensor.Device) *models {
	return &models{device: device, waiting: make(chan struct{}, maxWaiting), turn: make(chan struct{}, 1)}
}

// queue lets a request wait for its turn. The caller calls leave at the end.
func (m *models) queue() (leave func(), err error) {
	select {
	case m.waiting <- struct{}{}:
		return sync.OnceFunc(func() { <-m.waiting }), nil
	default:
		return nil, errBusy
	}
}

// use calls do with the model of the run in dir, when it is the caller's turn. The model must not be used later.
func (m *models) use(ctx context.Context, dir string, do func(*opened) error) error {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-m.turn }()
	if m.idle != nil {
		m.idle.Stop()
	}
	defer func() { m.idle = time.AfterFunc(idleModel, func() { m.close() }) }()
	if stamp := changed(dir); m.open == nil || m.dir != dir || m.stamp != stamp {
		m.release()
		open, err := openRun(dir, m.device)
		if err != nil {
			return err
		}
		m.open, m.dir, m.stamp = open, dir, stamp
	}
	return do(m.open)
}

// close waits for the request whose turn it is, and frees the model.
func (m *models) close() error {
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	return m.release()
}

// release frees the model.
func (m *models) release() (err error) {
	if m.open != nil {
		err, m.open = m.open.Close(), nil
	}
	return err
}

// changed is when files were added to a run folder or its checkpoints, as a training does, and when its index was written.
func changed(dir string) (times [3]time.Time) {
	for i, name := range []string{dir, filepath.Join(dir, run.CheckpointDir), filepath.Join(dir, indexName)} {
		if info, err := os.Stat(name); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

// openRun opens the finished model of a run, or its newest checkpoint, and what belongs to it.
func openRun(dir string, device *tensor.Device) (*opened, error) {
	opt := infer.Options{Device: device}
	model, err := infer.OpenAttention(dir, opt)
	if err != nil {
		return nil, err
	}
	o := &opened{Attentive: model}
	if _, ok := model.(*infer.Encoder); ok {
		if o.predictor, err = infer.OpenPredictor(dir, "", opt); err == nil {
			model.Close()
			o.Attentive = o.predictor.Encoder()
		} else {
			o.notes = append(o.notes, "Predictions of masked patches are not shown: "+short(err.Error()))
		}
	}
	if o.finder, err = openFinder(dir, o.Attentive, opt); err != nil {
		o.notes = append(o.notes, "The nearest images are not shown: "+short(err.Error()))
	}
	return o, nil
}

// Close frees the models.
func (o *opened) Close() error {
	err := o.finder.close()
	if o.predictor != nil {
		return cmp.Or(err, o.predictor.Close())
	}
	return cmp.Or(err, o.Attentive.Close())
}
