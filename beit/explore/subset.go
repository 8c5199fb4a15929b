package explore

import (
	"context"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Diverse chooses count of the unit vectors x [N, D], or all, so that every other one is near a chosen one: first the one nearest the mean, then each
// time the farthest from those chosen (Gonzalez 1985, at most twice the least possible radius). It returns them in that order, and the least cosine of
// any vector to the nearest chosen one.
//
// Outliers are far from all others, so they are among the first; left says which vectors not to choose.
func Diverse(ctx context.Context, x *tensor.Tensor, count int, left func(i int) bool) (chosen []int, radius float64, err error) {
	mustRows("Diverse", x)
	if count < 1 {
		panic(fmt.Sprintf("explore: Diverse: %d vectors", count))
	}
	n, d := x.Dim(0), x.Dim(1)
	values := x.Float32s()
	vector := func(i int) []float32 { return values[i*d : (i+1)*d] }
	nearest := make([]float64, n) // cosine to the nearest chosen one
	mean := make([]float32, d)
	for i, v := range values {
		mean[i%d] += v / float32(n)
	}
	next, most := -1, math.Inf(-1)
	for i := range n {
		nearest[i] = -2
		if s := cosine(vector(i), mean); s > most && !left(i) {
			next, most = i, s
		}
	}
	for next >= 0 && len(chosen) < count {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		chosen = append(chosen, next)
		last := vector(next)
		tensor.ParallelFor(n, func(i int) { nearest[i] = max(nearest[i], cosine(vector(i), last)) })
		nearest[next] = 2 // not again
		next, radius = -1, 1
		for i, s := range nearest {
			if !left(i) && s < 2 && (next < 0 || s < nearest[next]) {
				next, radius = i, min(s, 1)
			}
		}
	}
	return chosen, radius, nil
}
