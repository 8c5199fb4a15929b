package method

import (
	"context"
	"time"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Env is what a task gets from the loop that runs it.
type Env struct {
	Method *Method
	Config *config.Config // as resolved; a task fills in what it learns from images and upstream models
	Device *tensor.Device
	Tape   *autograd.Tape
	Group  dist.Group // of the processes that train together; one that measures or prepares has the group of one

	Train, Val data.Dataset       // Val is nil where there are no validation images
	Loader     *data.Loader       // of the micro-batches of training: of those of this process
	Upstream   Upstreams          // by their roles
	Reporter   Reporter           // hears progress and notices
	Skipped    func(data.Skipped) // is told of unreadable images

	StepsPerEpoch int
	Step          int // steps done
	Epoch         int // under way, from 1; 0 where nothing is trained

	// SaveModel writes the finished part of the model as it is now into the run folder.
	SaveModel func(file string) error
	// Classes are the names of the classes that the model tells apart, set by a task that has any.
	Classes []string
	// Palette are their colours, of a task with masks whose files have any.
	Palette [][3]uint8
}

// Grouped is e or, where it names no group, e with the group of one process.
func (e *Env) Grouped() *Env {
	if e.Group != nil {
		return e
	}
	alone := *e
	alone.Group = dist.Single()
	return &alone
}

// Steps is the number of steps of the whole run.
func (e *Env) Steps() int { return e.Config.Train.Epochs * e.StepsPerEpoch }

// Context is what a forward pass outside the loop gets: one of training at the first step.
func (e *Env) Context() nn.Context {
	return nn.Context{Tape: e.Tape, Train: true, Seed: e.Config.Seed, CheckpointActivations: e.Config.Train.CheckpointActivations}
}

// EvalContext is what a forward pass of validation gets.
func (e *Env) EvalContext() nn.Context { return nn.Context{Tape: e.Tape, Seed: e.Config.Seed} }

// Phase reports how far work other than training is.
func (e *Env) Phase(name string, done, total int) {
	p := Progress{Method: e.Config.Method, Phase: name, Done: done, Total: total, Epoch: e.Epoch}
	if e.Epoch > 0 {
		p.Epochs = e.Config.Train.Epochs
	}
	e.Reporter.Progress(p)
}

// TrainLoader makes a loader of augmented micro-batches, of all processes; stream separates loaders of one run.
func (e *Env) TrainLoader(stream uint64) (*data.Loader, error) {
	t := e.Config.Train
	return data.NewLoader(e.Train, data.LoaderOptions{
		Batch: t.Batch / t.AccumulationSteps, Pipeline: e.Method.Train(e.Config), Seed: e.Config.Seed, Stream: stream,
		MaxUnreadable: e.Config.Data.MaxUnreadable, Workers: e.Config.Data.Workers, Skipped: e.Skipped, Multiple: t.AccumulationSteps,
	})
}

// EvalLoader makes a loader that reads ds once, in its order.
func (e *Env) EvalLoader(ds data.Dataset, p data.Pipeline) (*data.Loader, error) {
	return data.NewLoader(ds, data.LoaderOptions{
		Batch: e.Config.Data.Eval.Batch, Sequential: true, Pipeline: p, MaxUnreadable: e.Config.Data.MaxUnreadable, Workers: e.Config.Data.Workers,
		Skipped: e.Skipped,
	})
}

// EachEvalBatch calls do, without gradients, with each batch of ds that is this process's, as validation shows images.
func (e *Env) EachEvalBatch(ctx context.Context, ds data.Dataset, do func(b *data.Batch)) error {
	loader, err := e.EvalLoader(ds, e.Method.Eval(e.Config))
	if err != nil {
		return err
	}
	loader.Share(e.Group.Rank(), e.Group.Size())
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return err
		}
		e.Tape.NoGrad(func() { do(b) })
		e.Tape.Reset()
		e.Phase("validate", b.Number+1, loader.Len())
	}
	return nil
}

// EachMixedBatch is EachEvalBatch of the validation images in a random order, always the same by the run's seed and stream: in that of class folders,
// the images of a batch would be of one class. A batch names them by their places in e.Val.
func (e *Env) EachMixedBatch(ctx context.Context, stream uint64, do func(b *data.Batch)) error {
	order := tensor.NewRand(e.Config.Seed, stream).Perm(e.Val.Len())
	return e.EachEvalBatch(ctx, data.Subset(e.Val, order), func(b *data.Batch) {
		for i, at := range b.Index {
			b.Index[i] = order[at]
		}
		do(b)
	})
}

// Upload brings a tensor of a batch onto the device; the tape owns it.
func Upload(c nn.Context, b *data.Batch, name string) *autograd.Var {
	values, shape := b.Tensor(name)
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), values, shape...))
}

// Reporter hears how a run goes. Calls come from one goroutine and should return quickly.
type Reporter interface {
	// Progress is called before the first step, after every micro-batch and now and then during longer work.
	Progress(p Progress)
	// Notice tells what the user should know once: a learning rate that was scaled, a batch that shrank, a file written.
	Notice(text string)
	// Warning tells what is probably wrong: dying codes, unreadable images.
	Warning(text string)
}

// Progress says where a run is.
type Progress struct {
	Method        string
	Phase         string // "teacher", "k-means", "speed", "train", "validate", "k-NN", "encode"
	Done, Total   int    // of the phase: steps when training, batches otherwise
	Part, Parts   int    // micro-batches done of the step under way, and of each step; 0, 0 where a step has one
	Epoch, Epochs int    // epoch under way, from 1, and how many there are: 0 where nothing is trained
	Loss          float64
	LR            float64
	ImagesPerSec  float64
	DataTime      float64       // share of the epoch's time so far that was spent waiting for images
	Left          time.Duration // estimated until the end of the run; 0 when unknown
}

// Epoch is what an epoch brought.
type Epoch struct {
	Method     string
	Number, Of int
	Train      map[string]float64 // means over its steps
	Val        map[string]float64 // nil where nothing was validated
	Trend      Trend              // of images without labels; empty where there is none
}

// Silent is the reporter of those who want none.
type Silent struct{}

// Progress does nothing.
func (Silent) Progress(Progress) {}

// Notice does nothing.
func (Silent) Notice(string) {}

// Warning does nothing.
func (Silent) Warning(string) {}
