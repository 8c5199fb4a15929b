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
	"github.com/gobeit/gobeit/beit/model"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Codes are the codes of the patches of one image.
type Codes struct {
	Rows, Cols int
	Index      []int32 // Rows·Cols codes, row-major, each in 0 … K-1
}

// At returns the code of the patch at a row and column. It panics outside the grid.
func (c Codes) At(row, col int) int32 {
	if row < 0 || row >= c.Rows || col < 0 || col >= c.Cols {
		panic(fmt.Sprintf("infer: Codes.At: patch (%d, %d) of a grid of %d x %d", row, col, c.Rows, c.Cols))
	}
	return c.Index[row*c.Cols+col]
}

// Tokenizer computes codes of images.
type Tokenizer struct {
	network
	model *beit.VQKD
}

// OpenTokenizer opens tokenizer.safetensors, a run folder with it, or a published tokenizer.
func OpenTokenizer(path string, opt Options) (*Tokenizer, error) {
	return openKind(path, opt, newTokenizer)
}

// newTokenizer returns the tokenizer of an opened model.
func newTokenizer(m *model.Model, opt Options) (*Tokenizer, error) {
	t, set, err := model.OpenTokenizer(opt.device(), m)
	if err != nil {
		return nil, fmt.Errorf("open tokenizer: %w", err)
	}
	made := &Tokenizer{model: t}
	made.init(m, set, m.Input.Pipeline())
	return made, nil
}

// device is the device of the options.
func (o Options) device() *tensor.Device {
	if o.Device == nil {
		return tensor.CPU()
	}
	return o.Device
}

// Vocabulary is the number K of codes.
func (t *Tokenizer) Vocabulary() int {
	if t.net().opened() != nil {
		return 0
	}
	return t.model.Config.Codes
}

// Grid is the number of patches along a side.
func (t *Tokenizer) Grid() int {
	if t.net().opened() != nil {
		return 0
	}
	return t.model.Config.Encoder.Grid()
}

// Encode returns the codes of an image.
func (t *Tokenizer) Encode(img image.Image) (Codes, error) {
	list, err := t.EncodeBatch([]image.Image{img})
	if err != nil {
		return Codes{}, err
	}
	return list[0], nil
}

// EncodeBatch is Encode for several images, in their order. It fails if one of them is nil or empty.
func (t *Tokenizer) EncodeBatch(images []image.Image) ([]Codes, error) {
	return encodeBatch(t.net(), images, t.encode)
}

// encode returns the codes of images [B, 3, S, S] in [0, 1]. Its error is always nil.
func (t *Tokenizer) encode(c nn.Context, images *autograd.Var) ([]Codes, error) {
	codes := t.model.Codes(c, images)
	defer codes.Release()
	list := make([]Codes, 0, images.Shape()[0])
	for one := range slices.Chunk(codes.Ints(), t.Grid()*t.Grid()) {
		list = append(list, Codes{Rows: t.Grid(), Cols: t.Grid(), Index: one})
	}
	return list, nil
}

// EncodeDataset yields the codes of the images of ds in their order, with read-ahead. See Item for unreadable images.
func (t *Tokenizer) EncodeDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[Codes], error] {
	return over(ctx, t.net(), ds, skipped, t.encode)
}
