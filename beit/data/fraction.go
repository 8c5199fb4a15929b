package data

import (
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Fraction selects a share of the items of each class of ds, at least one of each class that has any. It keeps the order of ds. The choice
// depends on the seed and the dataset alone, and a larger share contains a smaller one.
func Fraction(ds Dataset, share float64, seed uint64) (Dataset, error) {
	if !(share > 0 && share <= 1) {
		return nil, fmt.Errorf("share %g of the labelled images: must be above 0 and at most 1", share)
	}
	if len(ds.Classes()) == 0 {
		return nil, fmt.Errorf("a share of %g of each class cannot be drawn: the images have no labels", share)
	}
	of := make([][]int, len(ds.Classes()))
	for i := range ds.Len() {
		of[ds.Label(i)] = append(of[ds.Label(i)], i)
	}
	var kept []int
	for c, list := range of {
		if len(list) == 0 {
			continue
		}
		n := max(int(math.Round(share*float64(len(list)))), 1)
		for _, j := range tensor.NewRand(seed, streamFraction, uint64(c)).Perm(len(list))[:n] {
			kept = append(kept, list[j])
		}
	}
	slices.Sort(kept)
	return Subset(ds, kept), nil
}
