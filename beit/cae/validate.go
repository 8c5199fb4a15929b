package cae

import (
	"cmp"
	"context"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/tensor"
)

// Validate measures the losses on validation images, always with the same masks, beside baselines that need no model: the entropy of the codes, the code
// of the nearest visible patch, and one latent for all masked patches of an image, the mean of their targets.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	counts := make([]int64, t.target.Dim())
	err := t.EachEvalBatch(ctx, t.Val, func(b *data.Batch) {
		for _, code := range t.validateBatch(b, m) {
			counts[code]++
		}
	})
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
	v[keyEntropy], v[keyUsed], v[keyPerplexity] = use.Entropy, float64(use.Used), use.Perplexity
	return v, nil
}

// validateBatch adds a batch's figures to m and returns the codes of its patches.
func (t *task) validateBatch(b *data.Batch, m method.Means) []int32 {
	c := t.EvalContext()
	mask, n := t.masks(b, streamMaskVal), t.model.Config.ViT.Tokens()
	r, labels := t.forward(c, method.Upload(c, b, method.FieldImage), b, mask)
	rows := float64(r.Rows.Size())
	add := func(name string, v *tensor.Tensor) { m.Add(name, rows*float64(v.Item()), rows) }
	add(method.KeyLoss, r.Loss.Value())
	add(keyCodes, r.Codes.Value())
	add(keyLatents, r.Latents.Value())
	m.Add(keyMeanLatent, rows*latentWeight*spread(r.Target.Value().Float32s(), r.Target.Shape()), rows)
	m.AddScalar(accuracy(c, r, labels))
	all := make([]int32, len(mask))
	for i := range all {
		all[i] = int32(i)
	}
	codes := labels.Codes(c.Tape, c.Tape.Own(tensor.FromInts(t.Device, all, len(all))).Value()).Ints()
	for i := range b.Index {
		masked, hits := t.nearest.Count(codes[i*n:(i+1)*n], mask[i*n:(i+1)*n])
		m.Add(keyNearest, float64(hits), float64(masked))
	}
	return codes
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
