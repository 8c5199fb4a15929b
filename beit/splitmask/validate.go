package splitmask

import (
	"context"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
)

// Validate measures the losses on validation images, always with the same halves, beside baselines of codes that need no model: their entropy, and the
// code of the nearest patch of the other half. Images come in a random order: in that of class folders, pairs would be told from their own class alone.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	baselines := target.NewBaselines(t.nearest, t.target.Dim())
	if err := t.EachMixedBatch(ctx, streamOrderVal, func(b *data.Batch) { t.validateBatch(b, m, baselines) }); err != nil {
		return nil, err
	}
	return baselines.Values(t.Group, m)
}

// validateBatch adds a batch's figures to m, and its codes to the baselines.
func (t *task) validateBatch(b *data.Batch, m method.Means, baselines *target.Baselines) {
	c := t.EvalContext()
	labels, k := t.labels(c, b), t.halves(b, streamHalvesVal)
	r := t.forward(c, b, labels, k)
	images := float64(len(b.Index))
	m.Add(keyMIM, images*float64(r.MIM().Value().Item()), images)
	if r.Pairs.Loss != nil || SectionOf(t.Config).Contrast.Weight == 0 { // an image that is left alone in the last batch has no whole loss
		m.Add(method.KeyLoss, images*float64(r.Loss.Value().Item()), images)
	}
	if r.Pairs.Loss != nil {
		m.Add(keyContrast, images*float64(r.Pairs.Loss.Value().Item()), images)
	}
	for _, s := range accuracies(c, r, labels) {
		m.AddScalar(s)
	}
	baselines.Add(m, labels.All(), k.Masked(), k.Others().Masked())
}
