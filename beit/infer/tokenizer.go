package infer

import (
	"context"
	"fmt"
	"image"
	"iter"
	"math"
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

	// Cosine has, for each patch, the cosine of the angle between its vector, before it is quantised, and its code's. It is 0 where one has no direction.
	Cosine []float32
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
	book  []float32 // code vectors, [K, D]
	key   string    // of the model in a file that has several
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
	made := &Tokenizer{model: t, book: t.Codebook.Value.Float32s(), key: opt.Key}
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

// Codebook returns the vectors of the K codes, D numbers each. Tokens are compared with them. They may be changed.
func (t *Tokenizer) Codebook() [][]float32 {
	if t.net().opened() != nil {
		return nil
	}
	return slices.Collect(slices.Chunk(slices.Clone(t.book), t.model.Config.CodeDim))
}

// PatchBox is the part of an image of w x h pixels that the patch at a row and column of the grid shows. It panics outside the grid, and for an
// empty image.
func (t *Tokenizer) PatchBox(w, h, row, col int) image.Rectangle {
	if t.net().opened() != nil {
		return image.Rectangle{}
	}
	if g := t.Grid(); row < 0 || row >= g || col < 0 || col >= g || w < 1 || h < 1 {
		panic(fmt.Sprintf("infer: Tokenizer.PatchBox: patch (%d, %d) of a grid of %d x %d, image of %d x %d", row, col, g, g, w, h))
	}
	return t.patchBox(w, h, row, col)
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

// encode returns the codes of images [B, 3, S, S] in [0, 1].
func (t *Tokenizer) encode(c nn.Context, images *autograd.Var) ([]Codes, error) {
	z := c.Tape.Scope(func() *autograd.Var { return t.model.Encode(c, images) }) // [B·N, D]
	found := tensor.NearestCode(z.Value(), t.model.Codebook.Value)
	defer found.Release()
	index, vectors, d := found.Ints(), z.Value().Float32s(), t.model.Config.CodeDim
	cosines := make([]float32, len(index))
	for i, code := range index {
		v := cosine(vectors[i*d:(i+1)*d], t.book[int(code)*d:(int(code)+1)*d])
		if math.IsNaN(v) {
			return nil, fmt.Errorf("%s: vectors of patches are not finite: the weights are damaged, or the training diverged", t.path)
		}
		cosines[i] = float32(v)
	}
	n := t.Grid() * t.Grid()
	list := make([]Codes, images.Shape()[0])
	for i := range list {
		list[i] = Codes{Rows: t.Grid(), Cols: t.Grid(), Index: index[i*n : (i+1)*n : (i+1)*n], Cosine: cosines[i*n : (i+1)*n : (i+1)*n]}
	}
	return list, nil
}

// cosine of the angle between two vectors; 0 where one has no direction.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		x, y := float64(x), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

// EncodeDataset yields the codes of the images of ds in their order, with read-ahead. See Item for unreadable images.
func (t *Tokenizer) EncodeDataset(ctx context.Context, ds data.Dataset, skipped func(data.Skipped)) iter.Seq2[Item[Codes], error] {
	return over(ctx, t.net(), ds, skipped, t.encode)
}
