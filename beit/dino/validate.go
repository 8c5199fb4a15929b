package dino

import (
	"cmp"
	"context"
	"math"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
)

// streamVal separates the crops of validation from those of training: never changed.
const streamVal uint64 = 0x747261696e07

// Validate measures the loss on the same crops of the validation images each time.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	loader, err := data.NewLoader(t.Val, data.LoaderOptions{
		Batch: t.Config.Data.Eval.Batch, Sequential: true, Pipeline: t.Method.Eval(t.Config), Seed: t.Config.Seed, Stream: streamVal,
		MaxUnreadable: t.Config.Data.MaxUnreadable, Workers: t.Config.Data.Workers, Skipped: t.Skipped,
	})
	if err != nil {
		return nil, err
	}
	loader.Share(t.Group.Rank(), t.Group.Size())
	m, k := method.Means{}, t.model.Config.Outputs
	whole := make([]float64, k) // the sum of the teacher's outputs
	at := t.at(t.Step)
	c := t.EvalContext()
	for b, err := range loader.Batches(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		t.Tape.NoGrad(func() {
			r := t.result(c, b, at)
			weight := float64(len(b.Index))
			each, ofMean := r.Entropies()
			ofMean.Release()
			m.Add("cross_entropy", weight*float64(r.Loss.Value().Item()), weight)
			m.Add("teacher_entropy", weight*float64(c.Tape.Own(each).Value().Item()), weight)
			for i, p := range r.Predictions.Float32s() {
				whole[i%k] += float64(p)
			}
		})
		t.Tape.Reset()
		t.Phase("validate", b.Number+1, loader.Len())
	}
	if err := cmp.Or(m.Reduce(t.Group), dist.SumFloat64(t.Group, whole)); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	n := 2 * m["cross_entropy"].Weight
	v := m.Values()
	v["mean_entropy"] = 0
	for _, p := range whole {
		if p > 0 {
			v["mean_entropy"] -= p / n * math.Log(p/n)
		}
	}
	return v, nil
}
