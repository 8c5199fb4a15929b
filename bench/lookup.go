package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// lookups find the nearest code of each token, in the codebook of small presets (512 codes of 16 dimensions), in the published one (8192 of 32)
// and in others. 6272 tokens are 32 images of 196 patches. Vectors have length 1, so the nearest code is also the one with the largest dot
// product: beside the fused operation stands a matmul with an argmax of its rows, which writes and reads all tokens x codes products.
func lookups(dev *tensor.Device) []Case {
	var all []Case
	for _, s := range []struct{ tokens, codes, dim int }{
		{6272, 512, 16},
		{6272, 2048, 32},
		{6272, 8192, 32},
		{12544, 8192, 32},
		{6272, 8192, 128},
		{6272, 8192, 768},
	} {
		for _, by := range []struct {
			name   string
			lookup func(z, codebook *tensor.Tensor) *tensor.Tensor
		}{{"fused", tensor.NearestCode}, {"matmul-argmax", argmaxOfMatmul}} {
			all = append(all, Case{
				Benchmark: CodebookLookup, Params: fmt.Sprintf("tokens=%d/codes=%d/dim=%d/by=%s", s.tokens, s.codes, s.dim, by.name),
				FLOPs: 2 * float64(s.tokens) * float64(s.codes) * float64(s.dim), Tokens: s.tokens,
				Setup: func() (run, release func()) {
					z, codebook := unit(dev, 1, s.tokens, s.dim), unit(dev, 2, s.codes, s.dim)
					return func() { by.lookup(z, codebook).Release() }, free(z, codebook)
				},
			})
		}
	}
	return all
}

// argmaxOfMatmul returns the code with the largest dot product, for each token.
func argmaxOfMatmul(z, codebook *tensor.Tensor) *tensor.Tensor {
	products := tensor.MatMul(z, codebook.T())
	defer products.Release()
	return tensor.ArgMax(products)
}

// unit returns random rows of length 1.
func unit(dev *tensor.Device, seed uint64, rows, dim int) *tensor.Tensor {
	x := random(dev, seed, rows, dim)
	defer x.Release()
	y, norm := tensor.L2Normalize(x, 1e-12)
	norm.Release()
	return y
}
