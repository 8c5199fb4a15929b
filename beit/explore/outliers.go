package explore

import (
	"cmp"
	"math"
	"slices"
)

// Outlier is an image far from its neighbours.
type Outlier struct {
	Image    int
	Distance float64 // mean of 1 - cosine to its neighbours
	Local    float64 // that distance, divided by the mean of the same of its neighbours
}

// Outliers finds images that are far from their k nearest neighbours, compared with how far these are from theirs. They come with the largest Local first. Those
// whose logarithm lies far above the median of all images count.
func Outliers(near Neighbours, k int) []Outlier {
	if near.K == 0 || k < 1 {
		return nil
	}
	n := len(near.Index) / near.K
	k = min(k, near.K)
	list, logs := make([]Outlier, n), make([]float64, n)
	for i := range list {
		list[i].Image = i
		_, cosine := near.Of(i)
		for _, s := range cosine[:k] {
			list[i].Distance += max(1-float64(s), 0) / float64(k)
		}
	}
	for i := range list {
		index, _ := near.Of(i)
		mean := 0.0
		for _, j := range index[:k] {
			mean += list[j].Distance / float64(k)
		}
		const least = 1e-6 // distances below are those of rounding
		list[i].Local = max(list[i].Distance, least) / max(mean, least)
		logs[i] = math.Log(list[i].Local)
	}
	median, spread := medianAndSpread(logs)
	bound := math.Exp(median + deviations*spread)
	list = slices.DeleteFunc(list, func(o Outlier) bool { return o.Local <= bound })
	slices.SortStableFunc(list, func(a, b Outlier) int { return cmp.Compare(b.Local, a.Local) })
	return list
}
