package segment

import (
	"context"
	"math"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/dist"
)

// effectiveBeta is the share of a further image of a class that tells nothing new (Cui et al., arXiv 1901.05555).
const effectiveBeta = 0.99

// effectiveWeights are inverse to the effective numbers (1 − βⁿ)/(1 − β) of images, where n is how many images the pixels of a class would fill. Their
// mean is 1; a class without pixels has weight 0.
func effectiveWeights(share []float64) []float32 {
	inverse, sum, n := make([]float64, len(share)), 0.0, 0
	for class, images := range share {
		if images > 0 {
			inverse[class] = (1 - effectiveBeta) / (1 - math.Pow(effectiveBeta, images))
			sum += inverse[class]
			n++
		}
	}
	weights := make([]float32, len(share))
	for class, w := range inverse {
		if sum > 0 {
			weights[class] = float32(w * float64(n) / sum)
		}
	}
	return weights
}

// classShares says how many images the pixels of each class would fill. Images that cannot be read are left out. Each process of a group reads all.
func classShares(ctx context.Context, ds data.Dataset, classes int, done func(i int)) ([]float64, error) {
	share := make([]float64, classes)
	for i, read := range samples(ctx, ds, dist.Single()) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if m := read.sample.Mask; read.err == nil && m != nil {
			for _, class := range m.Class {
				if int(class) < classes {
					share[class] += 1 / float64(len(m.Class))
				}
			}
		}
		done(i + 1)
	}
	return share, nil
}
