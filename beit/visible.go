package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// ResidualOf is Residual for some patches alone: the residual stream before the first block, class token first, [B, K+1, d]. patches names K patches of
// each image, [B·K], in the order in which their tokens follow. The backbone must have absolute positions. It panics where patches are not as many in
// each image, or not those of the images.
func (b *backbone) ResidualOf(c nn.Context, images *autograd.Var, patches []int32) *autograd.Var {
	x := autograd.Patchify(images, b.Embed.Patch) // [B, N, C·P·P]
	samples, n, d := x.Shape()[0], x.Shape()[1], b.Width()
	k := len(patches) / samples
	if b.Pos == nil || k == 0 || k*samples != len(patches) || b.Pos.Shape[1] != n+1 {
		panic(fmt.Sprintf("beit: ResidualOf: %d patches of images %v, of %d patches each, for positions %v", len(patches), images.Shape(), n, shapeOf(b.Pos)))
	}
	rows, places := make([]int32, len(patches)), make([]int32, len(patches))
	for i, p := range patches {
		rows[i], places[i] = int32(i/k*n)+p, p+1
	}
	ints := func(v []int32) *tensor.Tensor { return c.Tape.Own(tensor.FromInts(c.Tape.Device(), v, len(v))).Value() }
	x = b.Embed.Tokens(c, autograd.GatherRows(autograd.Reshape(x, samples*n, -1), ints(rows))) // [B·K, d]
	pos := autograd.Reshape(b.Pos.Var(c.Tape), -1, d)
	x = autograd.Reshape(autograd.Add(x, autograd.GatherRows(pos, ints(places))), samples, k, d)
	class := autograd.Add(autograd.Expand(b.CLS.Var(c.Tape), samples, 1, d), autograd.Slice(pos, 0, 0, 1))
	return autograd.Concat(1, class, x)
}

// shapeOf is the shape of a parameter that may be nil.
func shapeOf(p *nn.Param) tensor.Shape {
	if p == nil {
		return nil
	}
	return p.Shape
}
