package train

import (
	"context"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Memory is what a run needs, in bytes: of the memory of its device, and of the machine's besides. On a CPU both are one.
type Memory struct {
	Model             int64 `json:"model_bytes"` // weights, gradients, moments of the optimiser, networks that make targets
	Step              int64 `json:"step_bytes"`  // activations and work space of a micro-batch, and of a batch of validation
	Cache             int64 `json:"cache_bytes"` // decoded images, and what a method makes of images, that are kept
	Process           int64 `json:"process_bytes"`
	Needs             int64 `json:"needs_bytes"` // of the device's memory, together
	Free              int64 `json:"free_bytes"`  // of that; 0: not known
	Batch             int   `json:"batch"`       // images of a step
	AccumulationSteps int   `json:"accumulation_steps"`
	Parameters        int   `json:"parameters"` // of the network under training
}

// Peak is the most that the run takes of its device's memory.
func (m Memory) Peak() int64 { return m.Model + m.Step }

// Host is what it takes of the machine's memory beside tensors.
func (m Memory) Host() int64 { return m.Cache + m.Process }

// plannedBytes is how large the batches of a loader may be together that are gone through. What larger ones need is extrapolated. Those of
// validation are smaller: the pool would use memory of the same size for both.
const plannedBytes = 256 << 20

// hostBytes is what the process takes besides tensors, cached images and batches under way, as measured: code, images being decoded, and garbage
// where it is kept within 128 MiB, as the command does.
const hostBytes = 128 << 20

// EstimateMemory works out what the run that Run would begin needs, by going through two steps and a batch of validation on a device that only
// counts. It reads some images and writes nothing.
func EstimateMemory(ctx context.Context, m *method.Method, cfg *config.Config, env Env) (Memory, error) {
	if err := cfg.Check(); err != nil {
		return Memory{}, err
	}
	l, err := openLoop("", m, cfg.Clone(), env, state.WriteFileAtomic)
	defer l.close()
	if err != nil {
		return Memory{}, err
	}
	return l.estimate(ctx, l.env.Config)
}

// estimate is what the run needs with another configuration of the same network and images.
func (l *loop) estimate(ctx context.Context, cfg *config.Config) (Memory, error) {
	trains, evals := loaderBytes(l.env.Method.Train(cfg)), loaderBytes(l.env.Method.Eval(cfg))
	mem, err := l.estimateUpTo(ctx, cfg, max(2, int(plannedBytes/trains)), max(2, int(plannedBytes/evals*3/4)))
	if err != nil {
		return mem, err
	}
	mem.Cache += l.cacheBytes(cfg)
	mem.Process = hostBytes + l.mappedBytes() + max(trains*int64(mem.Batch/mem.AccumulationSteps), evals*int64(l.evalBatch(cfg)))
	return mem, nil
}

// mappedBytes is how much of the memory are files of models that stay open: the system counts what was read of them.
func (l *loop) mappedBytes() (bytes int64) {
	for _, m := range l.env.Upstream {
		bytes += m.File().Mapped()
	}
	if l.opened != nil {
		bytes += l.opened.File().Mapped()
	}
	return bytes
}

// evalBatch is how many images a batch of validation has at most.
func (l *loop) evalBatch(cfg *config.Config) int {
	if l.env.Val == nil {
		return 0
	}
	return min(cfg.Data.Eval.Batch, l.env.Val.Len())
}

// estimateUpTo goes through micro-batches and batches of validation of at most so many images. Activations grow in proportion to those.
func (l *loop) estimateUpTo(ctx context.Context, cfg *config.Config, mostMicro, mostEval int) (mem Memory, err error) {
	t := cfg.Train
	micro, eval := t.Batch/t.AccumulationSteps, l.evalBatch(cfg)
	mem, validation, err := l.plan(ctx, cfg, min(micro, mostMicro), min(eval, mostEval))
	if err != nil {
		return mem, err
	}
	if micro > mostMicro || eval > mostEval {
		less, lessValidation, err := l.plan(ctx, cfg, min(micro, mostMicro/2), min(eval, mostEval/2))
		if err != nil {
			return mem, err
		}
		mem.Step += (mem.Step - less.Step) * int64(max(micro-mostMicro, 0)) / int64(mostMicro-mostMicro/2)
		validation += (validation - lessValidation) * int64(max(eval-mostEval, 0)) / int64(mostEval-mostEval/2)
	}
	mem.Step += validation
	mem.Batch, mem.AccumulationSteps = t.Batch, t.AccumulationSteps
	return mem, nil
}

// plan goes through two steps of one micro-batch each and a batch of validation, with blank images. The device's memory is what it holds in the end:
// its pool keeps what was released, and gives it to tensors of about the same size alone. validation is how much of it comes with the validation.
func (l *loop) plan(ctx context.Context, cfg *config.Config, micro, eval int) (mem Memory, validation int64, err error) {
	cfg = cfg.Clone()
	cfg.Train.Batch, cfg.Train.AccumulationSteps, cfg.Data.Eval.Batch = micro, 1, max(eval, 1)
	dev, e := tensor.NewPlanner(), *l.env
	e.Config, e.Device, e.Tape, e.Reporter, e.Group = cfg, dev, autograd.NewTape(dev), Silent{}, dist.Single()
	e.Tape.Precision, e.SaveModel = l.env.Tape.Precision, func(string) error { return nil }
	size := e.Method.ImageSize(cfg)
	e.Train = blankImages(e.Train, micro, size, cfg)
	if e.Val != nil {
		e.Val = blankImages(e.Val, eval, size, cfg)
	}
	p := &loop{env: &e, reporter: Silent{}, open: l.open}
	defer p.release()
	if e.Loader, err = p.trainLoader(); err != nil {
		return mem, 0, err
	}
	if err := p.build(); err != nil {
		return mem, 0, err
	}
	if k, ok := p.task.(method.Keeper); ok {
		val := 0
		if l.env.Val != nil {
			val = l.env.Val.Len()
		}
		mem.Cache = k.KeptBytes(l.env.Train.Len(), val)
	}
	p.task.Set().ZeroGrad()
	mem.Model = dev.MemStats().Held
	for _, param := range p.task.Set().Flat() {
		mem.Parameters += param.Shape.Size()
	}
	if err := p.twoSteps(ctx); err != nil {
		return mem, 0, err
	}
	mem.Step = dev.MemStats().Held - mem.Model
	if e.Val != nil {
		if _, err := p.task.Validate(ctx); err != nil {
			return mem, 0, err
		}
	}
	if p.knn != nil {
		if err := p.knn.measure(ctx, &e, p.task.(method.Featurer), map[string]float64{}); err != nil {
			return mem, 0, err
		}
	}
	return mem, dev.MemStats().Held - mem.Model - mem.Step, nil
}

// twoSteps does two steps of the same micro-batch, at learning rate 0: the first allocates the moments of the optimiser.
func (l *loop) twoSteps(ctx context.Context) error {
	if s, ok := l.task.(method.EpochStarter); ok {
		s.BeginEpoch()
	}
	for b, err := range l.env.Loader.Batches(ctx, 0, 0) {
		if err != nil {
			return err
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
	return nil
}

// blank is a dataset of black images, which take no time to read.
type blank struct {
	data.Dataset
	image   data.Image
	mask    *data.Mask        // of class 0, or nil
	classes *data.MaskClasses // or nil
}

func (b blank) Sample(i int) (data.Sample, error) {
	return data.Sample{Image: b.image, Label: b.Label(i), Mask: b.mask}, nil
}

// MaskClasses implements data.Masked.
func (b blank) MaskClasses() *data.MaskClasses { return b.classes }

// blankImages are at most so many black squares in place of the images of ds, with masks where those have some.
func blankImages(ds data.Dataset, most, size int, cfg *config.Config) data.Dataset {
	index := make([]int, min(most, ds.Len()))
	for i := range index {
		index[i] = i
	}
	b := blank{Dataset: data.Subset(ds, index), image: data.NewRGB(size, size)}
	if cfg.Raw() {
		b.image = data.NewRaster(size, size, cfg.Channels(), 16)
	}
	var ok bool
	if b.classes, ok = data.MaskClassesOf(ds); ok {
		b.mask = &data.Mask{W: size, H: size, Class: make([]uint8, size*size)}
	}
	return b
}

// cacheBytes is how much memory decoded images take in the end, by the sizes of a few.
func (l *loop) cacheBytes(cfg *config.Config) (bytes int64) {
	const looked = 8
	for _, ds := range []data.Dataset{l.env.Train, l.env.Val} {
		if ds == nil || cfg.Data.CacheMB == 0 {
			continue
		}
		sum, read := int64(0), int64(0)
		for i := range min(looked, ds.Len()) {
			if s, err := ds.Sample(i * ds.Len() / min(looked, ds.Len())); err == nil { // of others the run will tell
				sum, read = sum+s.Bytes(), read+1
			}
		}
		if read > 0 {
			bytes += min(int64(cfg.Data.CacheMB)<<20, sum/read*int64(ds.Len()))
		}
	}
	return bytes
}

// loaderBytes is how much memory the batches take that a loader makes ahead, for each image in a batch.
func loaderBytes(p data.Pipeline) int64 {
	numbers := 0
	for _, f := range p.Outputs() {
		numbers += tensor.Shape(f.Shape).Size()
	}
	return 4 * int64(numbers) * data.BatchesAhead
}
