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
	"github.com/gobeit/gobeit/beit/probe"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
)

// Features are those of one picture, after the model's final norm, as the probes judge them.
type Features struct {
	CLS  []float32 // class token, D numbers
	Mean []float32 // mean of the patch tokens, D numbers

	// Patches are the patch tokens, [Grid, Grid, D] row by row, with Options.Patches; otherwise nil.
	Patches []float32
}

// Encoder turns pictures into features.
type Encoder struct {
	network
	model   beit.Encoder
	grid    int
	patches bool
}

// OpenEncoder opens backbone.safetensors or teacher.safetensors, or the run folder that holds it.
func OpenEncoder(path string, opt Options) (*Encoder, error) {
	if err := checkStage(path, train.Pretrain, train.Teacher); err != nil {
		return nil, err
	}
	m, err := train.LoadEncoder(opt.device(), path)
	if err != nil {
		return nil, fmt.Errorf("open backbone: %w", err)
	}
	size := m.ViT.ImageSize
	return &Encoder{model: m.Model, grid: m.ViT.Grid(), patches: opt.Patches, network: network{
		path: m.Path, config: m.Config, set: m.Set, pipeline: probe.Pipeline(size), size: size,
	}}, nil
}

// Dim is the width D of features.
func (e *Encoder) Dim() int { return e.model.Width() }

// Grid is the number of rows, and of columns, of patches.
func (e *Encoder) Grid() int { return e.grid }

// Encode returns the features of a picture.
func (e *Encoder) Encode(picture image.Image) (Features, error) {
	list, err := e.EncodeBatch([]image.Image{picture})
	if err != nil {
		return Features{}, err
	}
	return list[0], nil
}

// EncodeBatch returns the features of pictures, in their order. It fails when one of them is nil or empty.
func (e *Encoder) EncodeBatch(pictures []image.Image) ([]Features, error) {
	return encodeBatch(&e.network, pictures, e.encode)
}

// encode returns the features of images [B, 3, S, S] in [0, 1].
func (e *Encoder) encode(c nn.Context, images *autograd.Var) ([]Features, error) {
	tokens := c.Tape.Scope(func() *autograd.Var { // [B, N+1, D]
		view := c.Tape.Own(beit.Normalize(images.Value(), beit.ImageNetMean, beit.ImageNetStd))
		return e.model.AllTokens(c, view)
	})
	class, mean := beit.Pool(tokens)
	classes, means, d := class.Value().Float32s(), mean.Value().Float32s(), e.Dim()
	list := make([]Features, images.Shape()[0])
	for i := range list {
		f := Features{CLS: classes[i*d : (i+1)*d : (i+1)*d], Mean: means[i*d : (i+1)*d : (i+1)*d]}
		for _, v := range [][]float32{f.CLS, f.Mean} {
			for _, x := range v {
				if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
					return nil, fmt.Errorf("%s: gives features that are not finite: its weights are damaged, or its training diverged", e.path)
				}
			}
		}
		list[i] = f
	}
	if e.patches {
		all, n := tokens.Value().Float32s(), e.Grid()*e.Grid()
		for i := range list {
			list[i].Patches = all[(i*(n+1)+1)*d : (i+1)*(n+1)*d : (i+1)*(n+1)*d]
		}
	}
	return list, nil
}

// EncodeDataset yields the features of the pictures of ds in their order, reading ahead. See Item for pictures that cannot be read.
func (e *Encoder) EncodeDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[Features], error] {
	return over(ctx, &e.network, ds, skipped, e.encode)
}
