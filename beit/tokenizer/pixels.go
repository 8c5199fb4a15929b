package tokenizer

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// A tokenizer with teacher "pixels" is like that of PeCo (arXiv 2111.12710), not the authors' code: its decoder rebuilds the image, and a perceptual loss
// compares what a frozen network sees in both. Ours are the networks, which are those of VQ-KD in place of convolutions, its codebook, and all settings.

// openPixels makes what compares pixels, with an opened model where the loss is perceptual.
func openPixels(dev *tensor.Device, s *Section, m *method.Model) (*Teacher, error) {
	loss := &beit.PixelLoss{PixelTeacher: beit.PixelTeacher{Patch: s.Model.Encoder.PatchSize}, Weight: s.Perceptual}
	t := &Teacher{Teacher: loss.PixelTeacher, pixels: loss}
	if s.Perceptual == 0 {
		return t, nil
	}
	n, err := buildTrained(dev, s, m)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.teacher_run: %w", err)
	}
	blocks, ok := n.network.(beit.Blocks)
	if !ok {
		n.set.Release()
		return nil, fmt.Errorf("tokenizer.teacher_run: %s: holds a %s, whose blocks cannot be compared", m.Path, m.Kind)
	}
	loss.Perceptual = beit.NewPerceptual(blocks, n.vit.Depth, n.norm.Mean, n.norm.Std)
	t.sets = append(t.sets, n.set)
	return t, nil
}

// RebuildsPixels says that the decoder rebuilds pixels, and has no features to tell of.
func (t *Teacher) RebuildsPixels() bool { return t.pixels != nil }

// forward is a forward pass of a tokenizer with the loss that belongs to the teacher. parts are those of pixels, empty where features are rebuilt.
func (t *Teacher) forward(c nn.Context, m *beit.VQKD, images *autograd.Var, b *data.Batch) (r beit.VQKDResult, parts beit.PixelLosses) {
	if t.pixels == nil {
		host, _ := b.Tensor(method.FieldImage)
		return m.Forward(c, images, c.Tape.Own(beit.FeaturesOf(c, t.Teacher, images.Value(), host)).Value()), parts
	}
	r = m.ForwardBy(c, images, func(rebuilt *autograd.Var) *autograd.Var {
		parts = t.pixels.Of(c, rebuilt, images.Value())
		return parts.Loss
	})
	return r, parts
}

// Metrics of tokenizers that rebuild pixels.
const (
	keyPixels     = "loss_pixels"
	keyPerceptual = "loss_perceptual"
	keyMeanColour = "loss_mean_colour"
)

// part is a part of the loss of pixels, by the key of its metric.
type part struct {
	key  string
	loss *autograd.Var
}

// partsOf are the parts that there are.
func partsOf(p beit.PixelLosses) (list []part) {
	if p.Pixels != nil {
		list = append(list, part{keyPixels, p.Pixels})
	}
	if p.Perceptual != nil {
		list = append(list, part{keyPerceptual, p.Perceptual})
	}
	return list
}

// meanColour is the mean square error of pixels [B, N, 3·P·P] in [-1, 1] that all have the mean colour of their image: the baseline of keyPixels.
func meanColour(pixels *tensor.Tensor) float64 {
	b, values := pixels.Dim(0), pixels.Float32s()
	n, plane := len(values)/b, pixels.Dim(2)/3
	sum := 0.0
	for image := range b {
		var first, second [3]float64
		for i, v := range values[image*n : (image+1)*n] {
			channel := i % (3 * plane) / plane
			first[channel] += float64(v)
			second[channel] += float64(v) * float64(v)
		}
		for c := range 3 {
			sum += second[c] - first[c]*first[c]*3/float64(n)
		}
	}
	return sum / float64(len(values))
}
