package explore

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Outlier is an image far from its neighbours.
type Outlier struct {
	Image    int
	Distance float64 // mean distance of its vector to those of its neighbours
	Local    float64 // that distance, divided by the mean of the same of its neighbours
}

// Outliers finds images whose vectors, rows of x [N, D], are far from those of their k nearest neighbours, compared with how far these are from theirs.
// They come with the largest Local first. Those whose logarithm lies far above the median of all images count.
//
// Distances are those of the vectors themselves. Their lengths count: what a backbone has never seen often has a usual direction.
func Outliers(near Neighbours, x *tensor.Tensor, k int) []Outlier {
	mustRows("Outliers", x)
	n, d := x.Dim(0), x.Dim(1)
	if len(near.Index) != n*near.K {
		panic(fmt.Sprintf("explore: Outliers: %d neighbours of vectors %v", len(near.Index), x.Shape()))
	}
	if k = min(k, near.K); k < 1 {
		return nil
	}
	values := x.Float32s()
	list, logs := make([]Outlier, n), make([]float64, n)
	tensor.ParallelFor(n, func(i int) {
		list[i].Image = i
		index, _ := near.Of(i)
		for _, j := range index[:k] {
			list[i].Distance += distance(values[i*d:(i+1)*d], values[int(j)*d:(int(j)+1)*d]) / float64(k)
		}
	})
	for i := range list {
		index, _ := near.Of(i)
		mean := 0.0
		for _, j := range index[:k] {
			mean += list[j].Distance / float64(k)
		}
		const least = 1e-9 // equal images
		list[i].Local = max(list[i].Distance, least) / max(mean, least)
		logs[i] = math.Log(list[i].Local)
	}
	median, spread := medianAndSpread(logs)
	bound := math.Exp(median + deviations*spread)
	list = slices.DeleteFunc(list, func(o Outlier) bool { return o.Local <= bound })
	slices.SortStableFunc(list, func(a, b Outlier) int { return cmp.Compare(b.Local, a.Local) })
	return list
}

// distance is the Euclidean distance of two vectors.
func distance(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}
