package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// PixelTeacher is a teacher whose features are the pixels of a patch in [-1, 1], channel by channel and row by row: what a tokenizer rebuilds that is
// trained on pixels.
type PixelTeacher struct{ Patch int }

// Name is "pixels".
func (t PixelTeacher) Name() string { return "pixels" }

// Dim is the number of values of a patch of red, green and blue.
func (t PixelTeacher) Dim() int { return 3 * t.Patch * t.Patch }

// Features returns the pixels of patches [B, N, 3·P·P] of images [B, 3, S, S] in [0, 1]. The caller releases the result.
func (t PixelTeacher) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	y := frozen(c, func(c nn.Context) *autograd.Var { return autograd.Patchify(SymmetricRange(c.Tape.Constant(images), 1), t.Patch) })
	y.Value().Retain()
	return y.Value()
}

// PixelLoss compares rebuilt pixels with those of images, like PeCo (arXiv 2111.12710): by their mean square error, and by a perceptual loss.
type PixelLoss struct {
	PixelTeacher
	Perceptual *Perceptual // nil: pixels alone
	Weight     float64     // of the perceptual loss
}

// PixelLosses are the parts of a PixelLoss, one element each. They may be read until the tape's Reset.
type PixelLosses struct {
	Loss       *autograd.Var // Pixels plus Perceptual by its weight
	Pixels     *autograd.Var // mean square error of pixels in [-1, 1]
	Perceptual *autograd.Var // nil without a network
}

// Of compares rebuilt [B, N, 3·P·P], laid out as PixelTeacher's features, with images [B, 3, S, S] in [0, 1].
func (l PixelLoss) Of(c nn.Context, rebuilt *autograd.Var, images *tensor.Tensor) PixelLosses {
	target := c.Tape.Own(l.Features(c, images))
	r := PixelLosses{Pixels: autograd.MeanSquare(rebuilt, target).Keep()}
	r.Loss = r.Pixels
	if l.Perceptual != nil {
		back := unpatchify(rebuilt, l.Patch, images.Dim(2), images.Dim(3))
		r.Perceptual = l.Perceptual.Loss(c, autograd.Affine(back, 0.5, 0.5), images).Keep()
		r.Loss = autograd.Add(r.Loss, autograd.Affine(r.Perceptual, float32(l.Weight), 0)).Keep()
	}
	return r
}

// unpatchify puts patches [B, N, C·p·p] together to images [B, C, h, w].
func unpatchify(patches *autograd.Var, p, h, w int) *autograd.Var {
	return autograd.Custom([]*autograd.Var{patches},
		func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Unpatchify(in[0], p, h, w) },
		func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.Patchify(dy, p)}
		})
}

// Blocks is a network whose residual stream can be looked at after each block: every vision transformer of this package.
type Blocks interface {
	// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each, of normalised images [B, 3, S, S].
	AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
}

// Perceptual measures how far images are apart by the features of a frozen network: the patch tokens after some of its blocks. The loss is the mean over
// blocks and patches of the squared distance of tokens that are scaled to length 1.
//
// The papers leave much of it open. Ours are the unit length, which gives each block the same part, and the blocks where there are not twelve.
type Perceptual struct {
	network   Blocks
	blocks    []int // from 1
	mean, std [3]float32
}

// perceptualBlocks is how many blocks of a network are compared: of twelve the third, sixth, ninth and twelfth.
const perceptualBlocks = 4

// NewPerceptual compares by a built network of depth blocks, for images that are normalised by mean and std. Its parameters must be built for inference.
func NewPerceptual(network Blocks, depth int, mean, std [3]float32) *Perceptual {
	p := &Perceptual{network: network, mean: mean, std: std}
	for i := range perceptualBlocks {
		if n := (depth*(i+1) + perceptualBlocks - 1) / perceptualBlocks; len(p.blocks) == 0 || p.blocks[len(p.blocks)-1] != n {
			p.blocks = append(p.blocks, n)
		}
	}
	return p
}

// Loss compares rebuilt [B, 3, S, S] with images of the same shape, both in [0, 1]. Gradients go to rebuilt alone.
func (p *Perceptual) Loss(c nn.Context, rebuilt *autograd.Var, images *tensor.Tensor) *autograd.Var {
	if !rebuilt.Shape().Equal(images.Shape()) {
		panic(fmt.Sprintf("beit: Perceptual: rebuilt %v for images %v", rebuilt.Shape(), images.Shape()))
	}
	want := frozen(c, func(c nn.Context) *autograd.Var { return p.tokens(c, c.Tape.Constant(images)) })
	c.Train = false // no stochastic depth
	cosine := autograd.CosineLoss(p.tokens(c, rebuilt), want.Value())
	return autograd.Affine(cosine, 2, 0) // |u - v|² of unit vectors
}

// tokens are the patch tokens after the compared blocks, one after the other, [blocks·B, N, d], of images in [0, 1].
func (p *Perceptual) tokens(c nn.Context, images *autograd.Var) *autograd.Var {
	dev := c.Tape.Device()
	constant := func(v [3]float32) *autograd.Var { return c.Tape.Own(tensor.FromSlice(dev, v[:], 3, 1, 1)) }
	all := p.network.AllBlocks(c, autograd.Div(autograd.Sub(images, constant(p.mean)), constant(p.std)))
	var list []*autograd.Var
	for _, n := range p.blocks {
		list = append(list, patches(all[n-1]))
	}
	return autograd.Concat(0, list...)
}
