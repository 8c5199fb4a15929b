package explore

import (
	"maps"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/infer"
)

// Near is an image of an index, and how near its features are.
type Near struct {
	Name   string
	Cosine float32 // of the angle between both images' features
}

// Nearest returns the k images whose means of patch features have the largest cosines to those of f, the largest first, of equal ones the first by name.
func (x *Index) Nearest(f infer.Features, k int) []Near {
	names := slices.Sorted(maps.Keys(x.rows))
	if k = min(k, len(names)); k < 1 {
		return nil
	}
	index, cosines, found := make([]int32, k), make([]float32, k), 0
	length := math.Sqrt(cosine(f.Mean, f.Mean))
	for i, name := range names {
		other := x.rows[name].features.Mean
		if len(other) != len(f.Mean) {
			continue
		}
		c := 0.0 // where one has no direction
		if both := length * math.Sqrt(cosine(other, other)); both > 0 {
			c = cosine(f.Mean, other) / both
		}
		found = insert(index, cosines, found, int32(i), float32(c))
	}
	list := make([]Near, found)
	for i := range list {
		list[i] = Near{names[index[i]], cosines[i]}
	}
	return list
}
