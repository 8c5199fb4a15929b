package infer

import (
	"context"
	"fmt"
	"image"
	"iter"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/nn"
)

// Features are the features of one image after the final norm, as in the probes.
type Features struct {
	CLS  []float32 // class token, D numbers
	Mean []float32 // mean of the patch tokens, D numbers

	// Patches are the patch tokens, [rows, columns, D], row-major. It is nil without Options.Patches.
	Patches []float32
}

// Encoder computes features of images.
type Encoder struct {
	network
	model   beit.Encoder
	norm    data.Norm
	patches bool
}

// OpenEncoder opens backbone.safetensors, teacher.safetensors or classifier.safetensors, a run folder with one of them, or a published backbone or
// classifier, of which it takes the features before the head.
func OpenEncoder(path string, opt Options) (*Encoder, error) { return openKind(path, opt, newEncoder) }

// newEncoder returns the encoder of an opened model.
func newEncoder(m *model.Model, opt Options) (*Encoder, error) {
	if model.UseOf(m) == model.Codes {
		return nil, fmt.Errorf("open backbone: %s: holds a %s, wanted is a backbone or a classifier", m.Path, m.Method.Title)
	}
	e, err := model.OpenEncoder(opt.device(), m)
	if err != nil {
		return nil, fmt.Errorf("open backbone: %w", err)
	}
	made := &Encoder{model: e.Encoder, norm: e.Norm, patches: opt.Patches}
	p := probe.Pipeline(m.Input.Size)
	p.Views[0].Width, p.Views[0].Bands = m.Input.Width, m.Input.Bands
	made.init(m, e.Set, p)
	made.input.Grid, made.input.Cols = e.ViT.GridSize()
	return made, nil
}

// Dim is the width D of features.
func (e *Encoder) Dim() int {
	if e.net().opened() != nil {
		return 0
	}
	return e.model.Width()
}

// Grid is the number of patches along a side, or of their rows.
func (e *Encoder) Grid() int {
	if e.net().opened() != nil {
		return 0
	}
	return e.input.Grid
}

// Encode returns the features of an image.
func (e *Encoder) Encode(img image.Image) (Features, error) {
	list, err := e.EncodeBatch([]image.Image{img})
	if err != nil {
		return Features{}, err
	}
	return list[0], nil
}

// EncodeBatch is Encode for several images, in their order. It fails if one of them is nil or empty.
func (e *Encoder) EncodeBatch(images []image.Image) ([]Features, error) {
	return encodeBatch(e.net(), images, e.encode)
}

// encode returns the features of images [B, C, H, W], in [0, 1] or normalised: see normalize.
func (e *Encoder) encode(c nn.Context, images *autograd.Var) ([]Features, error) {
	tokens := c.Tape.Scope(func() *autograd.Var { return e.model.AllTokens(c, e.normalize(c, images)) }) // [B, N+1, D]
	class, mean := beit.Pool(tokens)
	classes, means, d := class.Value().Float32s(), mean.Value().Float32s(), e.Dim()
	list := make([]Features, images.Shape()[0])
	for i := range list {
		f := Features{CLS: classes[i*d : (i+1)*d : (i+1)*d], Mean: means[i*d : (i+1)*d : (i+1)*d]}
		for _, v := range [][]float32{f.CLS, f.Mean} {
			for _, x := range v {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return nil, fmt.Errorf("%s: features are not finite: the weights are damaged, or the training diverged", e.path)
				}
			}
		}
		list[i] = f
	}
	if e.patches {
		all, n := tokens.Value().Float32s(), tokens.Shape()[1]-1
		for i := range list {
			list[i].Patches = all[(i*(n+1)+1)*d : (i+1)*(n+1)*d : (i+1)*(n+1)*d]
		}
	}
	return list, nil
}

// normalize makes the network's input of images [B, 3, H, W] in [0, 1]. Those of other channels are normalised before.
func (e *Encoder) normalize(c nn.Context, images *autograd.Var) *autograd.Var {
	if e.input.Bands != nil {
		return images
	}
	return c.Tape.Own(beit.Normalize(images.Value(), e.norm.Mean, e.norm.Std))
}

// EncodeDataset yields the features of the images of ds in their order, with read-ahead. See Item for unreadable images.
func (e *Encoder) EncodeDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[Features], error] {
	return over(ctx, e.net(), ds, skipped, e.encode)
}
