package train

import (
	"context"
	"math"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/tensor"
)

// Preview is what is known of a run before its first step.
type Preview struct {
	Method    string `json:"method"`
	Preset    string `json:"preset"`
	Device    string `json:"device"`
	Threads   int    `json:"threads"`
	Precision string `json:"precision"`
	Train     int    `json:"images"`
	Val       int    `json:"validation_images"`
	Classes   int    `json:"classes"` // 0: no labels

	Epochs          int     `json:"epochs"`            // 0: as the budget will allow
	StepsPerEpoch   int     `json:"steps_per_epoch"`   // at most
	ImagesPerSecond float64 `json:"images_per_second"` // 0: not measured
	Seconds         float64 `json:"seconds"`           // of the whole run; 0: not known

	Memory
}

// Look says of the run that Run would begin what Run says before its first step, and does no more. Where the run does not fit into memory, what is
// known all the same comes with the error. It writes nothing.
func Look(ctx context.Context, m *method.Method, cfg *config.Config, env Env) (Preview, error) {
	if err := cfg.Check(); err != nil {
		return Preview{}, err
	}
	l, err := openLoop("", m, cfg.Clone(), env, state.WriteFileAtomic)
	defer l.close()
	if err != nil {
		return Preview{}, err
	}
	if l.memory, err = l.checkMemory(ctx); err != nil {
		return l.facts(), err
	}
	if err := l.build(); err != nil {
		return Preview{}, err
	}
	l.tellImages()
	if err := l.start(); err != nil {
		return Preview{}, err
	}
	return l.preview(ctx)
}

// facts are what needs no measurement.
func (l *loop) facts() Preview {
	e := l.env
	p := Preview{
		Method: e.Method.Name, Preset: e.Config.Preset, Device: e.Device.Name(), Threads: tensor.Threads(), Precision: e.Config.Precision,
		Train: e.Train.Len(), Classes: len(e.Train.Classes()),
		Epochs: e.Config.Train.Epochs, StepsPerEpoch: e.StepsPerEpoch, Memory: l.memory,
	}
	if e.Val != nil {
		p.Val = e.Val.Len()
	}
	if t := e.Config.Train; t.TimeBudget > 0 || t.FLOPBudget > 0 {
		p.Epochs, p.Seconds = 0, t.TimeBudget.Seconds()
	}
	return p
}

// preview measures what a step takes, for a run that has its initial weights.
func (l *loop) preview(ctx context.Context) (Preview, error) {
	p, t := l.facts(), l.env.Config.Train
	if l.grouped() { // this process alone tells nothing of the speed of all
		return p, nil
	}
	l.task.Set().ZeroGrad()
	step, image, err := l.measureSoon(ctx)
	if err != nil {
		return p, err
	}
	once := image.times(float64(p.Train))
	p.ImagesPerSecond = float64(t.Batch) / step.Seconds
	switch {
	case t.TimeBudget > 0:
	case t.FLOPBudget > 0:
		steps := math.Floor((t.FLOPBudget - once.FLOPs) / step.FLOPs)
		if steps < 1 {
			return p, noStep(t.FLOPBudget, once.FLOPs, step.FLOPs)
		}
		epochs := int(math.Ceil(steps / float64(p.StepsPerEpoch)))
		p.Seconds = once.Seconds + steps*step.Seconds + l.measuringSeconds(step, epochs)
	default:
		p.Seconds = once.Seconds + float64(l.env.Steps())*step.Seconds + l.measuringSeconds(step, t.Epochs)
	}
	return p, nil
}

// measuringSeconds is how long all validations and measurements of k-NN accuracy take in so many epochs, by the price of a step.
func (l *loop) measuringSeconds(step Price, epochs int) (seconds float64) {
	log := l.env.Config.Log
	seconds = math.Ceil(float64(epochs)/float64(log.EvalEvery)) * l.validationSeconds(step)
	if l.knn != nil {
		times := math.Ceil(float64(epochs)/float64(log.KNNEvery)) + 1
		seconds += min(times, float64(epochs)) * l.forwardSeconds(step, l.knn.train.Len()+l.knn.val.Len())
	}
	return seconds
}
