package mae

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

var _ beit.Rebuilder = (*Network)(nil)

// Rebuild implements beit.Rebuilder. The encoder gets visible patches in the order of the image.
func (m *Network) Rebuild(c nn.Context, images *autograd.Var, masked []bool, standardised bool) *tensor.Tensor {
	p, n := m.Config.ViT.PatchSize, m.Config.ViT.Tokens()
	b := images.Shape()[0]
	if len(masked) != b*n {
		panic(fmt.Sprintf("mae: Rebuild: %d mask values for %d images of %d patches", len(masked), b, n))
	}
	k := ofMasked(masked, n)
	var out *tensor.Tensor
	c.Tape.NoGrad(func() {
		pixels, raw := m.Decode(c, m.Encode(c, images, k), k), Target(images, p, false)
		if standardised {
			mean := autograd.Reshape(autograd.Mean(raw, 2), b, n, 1)
			pixels = autograd.Add(autograd.Mul(pixels, deviation(autograd.Sub(raw, mean))), mean)
		}
		hidden := make([]float32, len(masked))
		for i, on := range masked {
			if on {
				hidden[i] = 1
			}
		}
		mask := tensor.FromSlice(c.Tape.Device(), hidden, b, n, 1)
		mixed := tensor.Where(mask, pixels.Value(), raw.Value())
		out = Images(mixed, p, m.Config.ViT.ImageSize)
		mixed.Release()
		mask.Release()
	})
	return out
}

// ofMasked are masks of which an image sees the patches that are not masked, in the order of the image.
func ofMasked(masked []bool, n int) Masks {
	noise := make([]float64, len(masked))
	keep := -1
	for at := 0; at < len(masked); at += n {
		visible := 0
		for i, on := range masked[at : at+n] {
			noise[at+i] = float64(i)
			if on {
				noise[at+i] += float64(n)
			} else {
				visible++
			}
		}
		if keep >= 0 && visible != keep {
			panic(fmt.Sprintf("mae: Rebuild: %d and %d visible patches in images of a batch", keep, visible))
		}
		keep = visible
	}
	return ByNoise(noise, n, keep)
}
