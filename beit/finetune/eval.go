package finetune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn"
)

// Report says how well a classifier does on images.
type Report struct {
	Images  int     `json:"images"`
	Classes int     `json:"classes"` // that compete
	Loss    float64 `json:"loss"`    // mean cross-entropy in nat
	probe.Score
}

// Evaluate measures a classifier on labelled images. outputs[i] is the output of the model that stands for class i of ds; all other outputs are
// left out, as if the model did not have them. Nil means that the outputs are the classes, in their order. e has the configuration of the model.
func Evaluate(ctx context.Context, e *method.Env, t *Trained, ds data.Dataset, outputs []int) (Report, error) {
	return EvaluateEach(ctx, e, t, ds, outputs, nil)
}

// EvaluateEach is Evaluate, and tells each, where it is not nil, of every image that could be read whether it was right: i counts as in ds.
func EvaluateEach(ctx context.Context, e *method.Env, t *Trained, ds data.Dataset, outputs []int, each func(i int, right bool)) (Report, error) {
	have, classes := t.Outputs(), len(ds.Classes())
	if outputs == nil {
		if classes != have {
			return Report{}, fmt.Errorf("the images have %d classes and %s has %d outputs: which output is which class must be said", classes, t.Model.Path, have)
		}
		outputs = allOutputs(have)
	}
	if len(outputs) < classes {
		return Report{}, fmt.Errorf("%d outputs for %d classes of images", len(outputs), classes)
	}
	report, err := evaluate(ctx, e.Grouped(), t.Classifier, ds, outputs, each)
	if err != nil {
		return Report{}, fmt.Errorf("evaluation: %w", err)
	}
	return report, nil
}

// errNotANumber is wrapped by the error about scores that say nothing.
var errNotANumber = errors.New("is not a number")

// allOutputs is 0 … n-1.
func allOutputs(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// evaluate is EvaluateEach for given outputs.
func evaluate(ctx context.Context, e *method.Env, model beit.Classifier, ds data.Dataset, outputs []int, each func(i int, right bool)) (Report, error) {
	loader, err := e.EvalLoader(ds, Method.Eval(e.Config))
	if err != nil {
		return Report{}, err
	}
	loader.Share(e.Group.Rank(), e.Group.Size())
	tally, losses := probe.NewTally(len(outputs)), method.Means{}
	var wrong error
	scores := make([]float32, len(outputs))
	c := nn.Context{Tape: e.Tape}
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return Report{}, err
		}
		logits := e.Tape.Scope(func() *autograd.Var { return model.Logits(c, method.Upload(c, b, method.FieldImage)) })
		rows, width := logits.Value().Float32s(), logits.Shape()[1]
		e.Tape.Reset()
		for i, label := range b.Labels {
			for k, o := range outputs {
				scores[k] = rows[i*width+o]
			}
			if math.IsNaN(float64(scores[label])) && wrong == nil {
				wrong = fmt.Errorf("the score of %s %w: the weights are damaged, or training diverged", ds.Name(b.Index[i]), errNotANumber)
			}
			losses.Add(method.KeyLoss, logSumExp(scores)-float64(scores[label]), 1)
			right := tally.Add(scores, label)
			if each != nil {
				each(b.Index[i], right)
			}
		}
		if wrong != nil {
			break
		}
		e.Phase("validate", b.Number+1, loader.Len())
	}
	if err := cmp.Or(losses.Reduce(e.Group), tally.Reduce(e.Group)); err != nil {
		return Report{}, err
	}
	sum := losses[method.KeyLoss]
	switch {
	case wrong != nil:
		return Report{}, wrong
	case sum == nil:
		return Report{}, method.ErrNoneReadable
	case math.IsNaN(sum.Sum): // another process met it
		return Report{}, fmt.Errorf("a score %w: the weights are damaged, or training diverged", errNotANumber)
	}
	return Report{Images: int(sum.Weight), Classes: len(outputs), Loss: sum.Sum / sum.Weight, Score: tally.Score()}, nil
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
