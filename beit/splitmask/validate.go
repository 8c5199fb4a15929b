package splitmask

import (
	"cmp"
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// Validate measures the losses on validation images, always with the same halves, beside baselines of codes that need no model: their entropy, and the
// code of the nearest patch of the other half. Images come in a random order: in that of class folders, pairs would be told from their own class alone.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	counts := make([]int64, t.target.Dim())
	err := t.EachMixedBatch(ctx, streamOrderVal, func(b *data.Batch) { t.validateBatch(b, m, counts) })
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(m.Reduce(t.Group), t.Group.AllReduceInt64(counts)); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	v, use := m.Values(), beit.UsageOfCounts(counts)
	v[keyEntropy], v[keyCodes], v[keyPerplexity] = use.Entropy, float64(use.Used), use.Perplexity
	return v, nil
}

// validateBatch adds a batch's figures to m, and its codes to counts.
func (t *task) validateBatch(b *data.Batch, m method.Means, counts []int64) {
	c := t.EvalContext()
	labels, k := t.labels(c, b), t.halves(b, streamHalvesVal)
	r := t.forward(c, b, labels, k)
	images := float64(len(b.Index))
	m.Add(method.KeyLoss, images*float64(r.Loss.Value().Item()), images)
	m.Add(keyMIM, images*float64(r.MIM().Value().Item()), images)
	if r.Pairs.Loss != nil {
		m.Add(keyContrast, images*float64(r.Pairs.Loss.Value().Item()), images)
	}
	for _, s := range accuracies(c, r, labels) {
		m.AddScalar(s)
	}
	codes, n := make([]int32, len(k.Order)), k.Patches
	for _, h := range r.Halves {
		found := labels.Codes(c.Tape, h.Rows).Ints()
		for i, row := range h.Rows.Ints() {
			codes[row] = found[i]
			counts[found[i]]++
		}
	}
	for _, mask := range [][]bool{k.Masked(), k.Others().Masked()} {
		for i := range b.Index {
			masked, hits := t.nearest.Count(codes[i*n:(i+1)*n], mask[i*n:(i+1)*n])
			m.Add(keyNearest, float64(hits), float64(masked))
		}
	}
}
