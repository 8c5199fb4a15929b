package probe

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Extractor computes one or more kinds of features from a batch of images.
type Extractor struct {
	Names []string // of each kind
	Dims  []int    // width of each kind
	// Run maps images [B, 3, S, S] in [0, 1], which the caller keeps, to one [B, D] for each kind, which the caller releases.
	Run func(images *tensor.Tensor) []*tensor.Tensor
}

// Backbone is Network for images with the normalisation of ImageNet.
func Backbone(m beit.Encoder) Extractor { return Network(m, data.ImageNet) }

// Network extracts the class token ("cls") and the mean of the patch tokens ("mean") after the final norm. Images are normalised by norm.
func Network(m beit.Encoder, norm data.Norm) Extractor {
	return pooled([]string{"cls", "mean"}, m.Width(), norm, m.Features)
}

// BeforeNorm is Network with the tokens before the final norm ("cls before norm" and "mean before norm").
func BeforeNorm(m LayerModel, width int, norm data.Norm) Extractor {
	return pooled([]string{"cls before norm", "mean before norm"}, width, norm, func(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
		blocks := m.AllBlocks(c, images)
		return beit.Pool(blocks[len(blocks)-1])
	})
}

// pooled returns an extractor of two kinds of features of width d.
func pooled(names []string, d int, norm data.Norm, features func(c nn.Context, images *autograd.Var) (class, mean *autograd.Var)) Extractor {
	return Extractor{Names: names, Dims: []int{d, d}, Run: func(images *tensor.Tensor) []*tensor.Tensor {
		tape := autograd.NewTape(images.Device())
		both := tape.Scope(func() *autograd.Var { // [2, B, D]
			view := tape.Own(beit.Normalize(images, norm.Mean, norm.Std))
			class, mean := features(nn.Context{Tape: tape}, view)
			b := class.Shape()[0]
			return autograd.Concat(0, autograd.Reshape(class, 1, b, d), autograd.Reshape(mean, 1, b, d))
		}).Value()
		defer tape.Reset()
		b := both.Dim(1)
		return []*tensor.Tensor{both.Slice(0, 0, 1).Reshape(b, d).Clone(), both.Slice(0, 1, 2).Reshape(b, d).Clone()}
	}}
}

// Pixels extracts the pixels ("pixels"), average-pooled to side x side. If side is larger than the image size or does not divide it, the
// pixels are not pooled.
func Pixels(size, side int) Extractor {
	if side > size || size%side != 0 {
		side = size
	}
	return Extractor{Names: []string{"pixels"}, Dims: []int{3 * side * side}, Run: func(images *tensor.Tensor) []*tensor.Tensor {
		p := size / side
		squares := tensor.Patchify(images, p) // [B, side·side, 3·p·p]
		defer squares.Release()
		b := images.Dim(0)
		return []*tensor.Tensor{tensor.Reduce(tensor.ReduceMean, squares.Reshape(b*side*side*3, p*p), 1).Reshape(b, -1)}
	}}
}

// Teacher extracts the features of a tokenizer's teacher ("teacher"), average-pooled to at most 4 x 4 cells. grid is the number of
// patches along a side.
func Teacher(t beit.Teacher, grid int) Extractor {
	cells := 4
	for grid%cells != 0 {
		cells--
	}
	n, c := grid/cells, t.Dim()
	return Extractor{Names: []string{"teacher"}, Dims: []int{cells * cells * c}, Run: func(images *tensor.Tensor) []*tensor.Tensor {
		tape := autograd.NewTape(images.Device())
		defer tape.Reset()
		y := t.Features(nn.Context{Tape: tape}, images) // [B, N, C]
		defer y.Release()
		b := images.Dim(0)
		columns := tensor.Reduce(tensor.ReduceMean, y.Reshape(b*grid*cells, n, c), 1) // [B·grid·cells, C]
		defer columns.Release()
		squares := tensor.Reduce(tensor.ReduceMean, columns.Reshape(b*cells, n, cells*c), 1)
		return []*tensor.Tensor{squares.Reshape(b, -1)}
	}}
}
