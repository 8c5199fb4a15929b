package cae

import (
	"context"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/tensor"
)

// Validate measures the losses on validation images, always with the same masks, beside baselines that need no model: the entropy of the codes, the code
// of the nearest visible patch, and one latent for all masked patches of an image, the mean of their targets.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	baselines := target.NewBaselines(t.nearest, t.target.Dim())
	if err := t.EachEvalBatch(ctx, t.Val, func(b *data.Batch) { t.validateBatch(b, m, baselines) }); err != nil {
		return nil, err
	}
	return baselines.Values(t.Group, m)
}

// validateBatch adds a batch's figures to m, and its codes to the baselines.
func (t *task) validateBatch(b *data.Batch, m method.Means, baselines *target.Baselines) {
	c := t.EvalContext()
	mask := t.masks(b, streamMaskVal)
	r, labels := t.forward(c, method.Upload(c, b, method.FieldImage), b, mask)
	rows := float64(r.Rows.Size())
	add := func(name string, v *tensor.Tensor) { m.Add(name, rows*float64(v.Item()), rows) }
	add(method.KeyLoss, r.Loss.Value())
	add(keyCodes, r.Codes.Value())
	add(keyLatents, r.Latents.Value())
	m.Add(keyMeanLatent, rows*latentWeight*spread(r.Target.Value().Float32s(), r.Target.Shape()), rows)
	m.AddScalar(accuracy(c, r, labels))
	baselines.Add(m, labels.All(), mask)
}

// spread is the mean square distance of the latents [B, M, d] of an image's patches from their mean.
func spread(latents []float32, shape tensor.Shape) float64 {
	patches, d, sum := shape[1], shape[2], 0.0
	for first := 0; first < len(latents); first += patches * d {
		image := latents[first : first+patches*d]
		for i := range d {
			mean := 0.0
			for p := range patches {
				mean += float64(image[p*d+i]) / float64(patches)
			}
			for p := range patches {
				off := float64(image[p*d+i]) - mean
				sum += off * off
			}
		}
	}
	return sum / float64(len(latents))
}
