package train

import (
	"cmp"
	"context"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn"
)

// ClassifierReport says how well a classifier does on pictures.
type ClassifierReport struct {
	Pictures int     `json:"pictures"`
	Classes  int     `json:"classes"` // that compete
	Loss     float64 `json:"loss"`    // mean cross-entropy in nat
	probe.Score
}

// EvalClassifier measures a classifier on labelled pictures. outputs[i] is the output of the model that stands for class i of ds; all
// other outputs are left out, as if the model did not have them. Nil means that the outputs are the classes, in their order.
func EvalClassifier(ctx context.Context, m *ClassifierModel, ds data.Dataset, outputs []int, eval EvalConfig, env Env) (ClassifierReport, error) {
	have, classes := m.Config.Finetune.Model.Classes, len(ds.Classes())
	if outputs == nil {
		if classes != have {
			return ClassifierReport{}, fmt.Errorf("the pictures have %d classes and %s has %d outputs: which output is which class must be said", classes, m.Path, have)
		}
		outputs = allOutputs(have)
	}
	if len(outputs) < classes {
		return ClassifierReport{}, fmt.Errorf("%d outputs for %d classes of pictures", len(outputs), classes)
	}
	cfg := m.Config.clone()
	cfg.Data.Eval, cfg.Train.Epochs = eval, 0 // progress is that of no epoch
	r := &run{cfg: cfg, env: env, dev: m.Set.Device(), tape: autograd.NewTape(m.Set.Device()), skipped: map[string]bool{}}
	r.env.Reporter = cmp.Or[Reporter](env.Reporter, silent{})
	report, err := r.classify(ctx, m.Model, ds, outputs)
	if err != nil {
		return ClassifierReport{}, fmt.Errorf("evaluation: %w", err)
	}
	return report, nil
}

// allOutputs is 0 … n-1.
func allOutputs(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// classify is EvalClassifier for given outputs.
func (r *run) classify(ctx context.Context, model beit.Classifier, ds data.Dataset, outputs []int) (ClassifierReport, error) {
	loader, err := r.cfg.evalLoader(ds, r.cfg.Data.Eval, r.cfg.views(), r.warnSkipped)
	if err != nil {
		return ClassifierReport{}, err
	}
	report := ClassifierReport{Classes: len(outputs)}
	tally := probe.NewTally(len(outputs))
	scores := make([]float32, len(outputs))
	c := nn.Context{Tape: r.tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return ClassifierReport{}, err
		}
		logits := r.tape.Scope(func() *autograd.Var { return model.Logits(c, upload(c, b, viewImage)) })
		rows, width := logits.Value().Float32s(), logits.Shape()[1]
		r.tape.Reset()
		for i, label := range b.Labels {
			for k, o := range outputs {
				scores[k] = rows[i*width+o]
			}
			if math.IsNaN(float64(scores[label])) {
				return ClassifierReport{}, fmt.Errorf("the score of %s is not a number: the weights are damaged, or training diverged", ds.Name(b.Index[i]))
			}
			report.Loss += logSumExp(scores) - float64(scores[label])
			tally.Add(scores, label)
		}
		report.Pictures += len(b.Labels)
		r.phase("validate", b.Number+1, loader.Len())
	}
	if report.Pictures == 0 {
		return ClassifierReport{}, fmt.Errorf("no validation picture could be read")
	}
	report.Loss /= float64(report.Pictures)
	report.Score = tally.Score()
	return report, nil
}

// logSumExp is the logarithm of the sum of exponentials.
func logSumExp(x []float32) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	return top + math.Log(sum)
}
