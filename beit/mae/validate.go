package mae

import (
	"context"
	"math"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
)

// Validate measures the loss on validation images, always with the same masks, beside a baseline that needs no model: each pixel of a masked patch
// has the mean colour of the image's visible patches. The spread of the predictions is measured too.
func (t *task) Validate(ctx context.Context) (map[string]float64, error) {
	m := method.Means{}
	if err := t.EachEvalBatch(ctx, t.Val, func(b *data.Batch) { t.validateBatch(b, m) }); err != nil {
		return nil, err
	}
	if err := m.Reduce(t.Group); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	v := m.Values()
	v[keySpread] = math.Sqrt(v[keySpread])
	return v, nil
}

// validateBatch adds a batch's figures to m.
func (t *task) validateBatch(b *data.Batch, m method.Means) {
	c := t.EvalContext()
	images, k := method.Upload(c, b, method.FieldImage), t.masks(b, streamMaskVal)
	r := t.forward(c, images, k)
	weight := float64(len(b.Index))
	loss := weight * float64(r.Loss.Value().Item())
	m.Add(method.KeyLoss, loss, weight)
	m.Add(keyPixels, loss, weight)
	v := t.model.Config.ViT
	target := Target(images, v.PatchSize, SectionOf(t.Config).NormPixels).Value().Float32s()
	m.Add(keyMeanColour, weight*meanColour(target, k, v.Channels), weight)
	m.Add(keySpread, weight*spread(r.Pixels.Value().Float32s(), k), weight)
}

// meanColour is the mean square error on masked patches where every pixel has the mean colour of the image's visible patches. target are the pixels
// of all patches, the channels of a pixel beside each other.
func meanColour(target []float32, k Masks, channels int) float64 {
	size, sum := len(target)/len(k.Order), 0.0
	for image := range k.Images() {
		order := k.Order[image*k.Patches : (image+1)*k.Patches]
		patch := func(p int32) []float32 { return target[(image*k.Patches+int(p))*size:][:size] }
		mean := make([]float64, channels)
		for _, p := range order[:k.Keep] {
			for i, v := range patch(p) {
				mean[i%channels] += float64(v) * float64(channels) / float64(size*k.Keep)
			}
		}
		for _, p := range order[k.Keep:] {
			for i, v := range patch(p) {
				d := float64(v) - mean[i%channels]
				sum += d * d
			}
		}
	}
	return sum / float64(k.Images()*(k.Patches-k.Keep)*size)
}

// spread is the variance of each predicted value over the masked patches of a batch, averaged over the values of a patch.
func spread(pixels []float32, k Masks) float64 {
	size := len(pixels) / len(k.Order)
	mean, n := make([]float64, size), 0.0
	each := func(do func(i int, v float64)) {
		for at, masked := range k.Masked() {
			if !masked {
				continue
			}
			for i, v := range pixels[at*size:][:size] {
				do(i, float64(v))
			}
		}
	}
	each(func(i int, v float64) { mean[i] += v })
	n = float64(k.Images() * (k.Patches - k.Keep))
	sum := 0.0
	each(func(i int, v float64) { d := v - mean[i]/n; sum += d * d })
	return sum / (n * float64(size))
}
