package infer

import (
	"context"
	"fmt"
	"image"
	"iter"
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/train"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Codes are those of one picture, a code for each patch of a grid.
type Codes struct {
	Rows, Cols int
	Index      []int32 // Rows·Cols codes, row by row, each in 0 … K-1
}

// At is the code of the patch in a row and column. It panics outside the grid.
func (c Codes) At(row, col int) int32 {
	if row < 0 || row >= c.Rows || col < 0 || col >= c.Cols {
		panic(fmt.Sprintf("infer: Codes.At: patch (%d, %d) of a grid of %d x %d", row, col, c.Rows, c.Cols))
	}
	return c.Index[row*c.Cols+col]
}

// Tokenizer turns pictures into codes.
type Tokenizer struct {
	network
	model *beit.VQKD
}

// OpenTokenizer opens tokenizer.safetensors, or the run folder that holds it.
func OpenTokenizer(path string, opt Options) (*Tokenizer, error) {
	if err := checkStage(path, train.Tokenizer); err != nil {
		return nil, err
	}
	m, err := train.LoadTokenizer(opt.device(), path)
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	return &Tokenizer{model: m.Model, network: network{
		path: m.Path, config: m.Config, set: m.Set, pipeline: m.Pipeline(), size: m.Model.Config.Encoder.ImageSize,
	}}, nil
}

func (o Options) device() *tensor.Device {
	if o.Device == nil {
		return tensor.CPU()
	}
	return o.Device
}

// Vocabulary is the number K of codes.
func (t *Tokenizer) Vocabulary() int { return t.model.Config.Codes }

// Grid is the number of rows, and of columns, of patches.
func (t *Tokenizer) Grid() int { return t.model.Config.Encoder.Grid() }

// Encode returns the codes of a picture.
func (t *Tokenizer) Encode(picture image.Image) (Codes, error) {
	list, err := t.EncodeBatch([]image.Image{picture})
	if err != nil {
		return Codes{}, err
	}
	return list[0], nil
}

// EncodeBatch returns the codes of pictures, in their order. It fails when one of them is nil or empty.
func (t *Tokenizer) EncodeBatch(pictures []image.Image) ([]Codes, error) {
	return encodeBatch(&t.network, pictures, t.encode)
}

// encode returns the codes of images [B, 3, S, S] in [0, 1]. It does not fail.
func (t *Tokenizer) encode(c nn.Context, images *autograd.Var) ([]Codes, error) {
	codes := t.model.Codes(c, images)
	defer codes.Release()
	list := make([]Codes, 0, images.Shape()[0])
	for one := range slices.Chunk(codes.Ints(), t.Grid()*t.Grid()) {
		list = append(list, Codes{Rows: t.Grid(), Cols: t.Grid(), Index: one})
	}
	return list, nil
}

// EncodeDataset yields the codes of the pictures of ds in their order, reading ahead. See Item for pictures that cannot be read.
func (t *Tokenizer) EncodeDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[Codes], error] {
	return over(ctx, &t.network, ds, skipped, t.encode)
}
