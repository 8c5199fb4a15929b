package explore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// streamKMeans separates the choice of first centers from other random numbers.
const streamKMeans uint64 = 0x6b6d65616e73

// kmeansSteps is the most steps of k-means.
const kmeansSteps = 100

// Clusters are groups of vectors, the largest first.
type Clusters struct {
	Of      []int     // the cluster of each vector
	Members [][]int   // of each cluster, the vectors by their cosine to its center, the nearest first
	Cosine  []float32 // of each vector to the center of its cluster
}

// KMeans groups the unit vectors x [N, D] into at most k clusters by their cosine to the cluster's mean direction (spherical k-means). The first centers
// are those of k-means++.
func KMeans(ctx context.Context, x *tensor.Tensor, k int, seed uint64) (Clusters, error) {
	mustRows("KMeans", x)
	n, d := x.Dim(0), x.Dim(1)
	if k < 1 {
		panic(fmt.Sprintf("explore: KMeans: %d clusters", k))
	}
	if err := finite(x.Float32s(), d); err != nil || n == 0 {
		return Clusters{}, err
	}
	centers := firstCenters(x, min(k, n), tensor.NewRand(seed, streamKMeans))
	var of []int32
	for range kmeansSteps {
		if err := ctx.Err(); err != nil {
			return Clusters{}, err
		}
		codes := tensor.NearestCode(x, centers)
		next := codes.Ints()
		codes.Release()
		if slices.Equal(next, of) {
			break
		}
		of = next
		means := meansOf(x, of, centers.Dim(0))
		centers.Release()
		centers = means
	}
	defer centers.Release()
	return sortClusters(x.Float32s(), centers.Float32s(), of, d), nil
}

// firstCenters chooses k of the vectors: each next one at random, by its squared distance to the nearest one chosen so far (k-means++). They are fewer
// where no vector is left that differs.
func firstCenters(x *tensor.Tensor, k int, r *tensor.Rand) *tensor.Tensor {
	n, d := x.Dim(0), x.Dim(1)
	values := x.Float32s()
	vector := func(i int) []float32 { return values[i*d : (i+1)*d] }
	distance := make([]float64, n)
	for i := range distance {
		distance[i] = math.Inf(1)
	}
	chosen := slices.Clone(vector(r.IntN(n)))
	for count := 1; count < k; count++ {
		last := chosen[len(chosen)-d:]
		tensor.ParallelFor(n, func(i int) {
			if far := 2 - 2*cosine(vector(i), last); far < distance[i] {
				distance[i] = max(far, 0)
			}
			if distance[i] < 1e-9 { // the same but for rounding
				distance[i] = 0
			}
		})
		sum := 0.0
		for _, v := range distance {
			sum += v
		}
		if sum == 0 {
			break
		}
		at, left := 0, r.Float64()*sum
		for i, v := range distance {
			if v > 0 {
				at = i
			}
			if left -= v; left < 0 {
				break
			}
		}
		chosen = append(chosen, vector(at)...)
	}
	return tensor.FromSlice(tensor.CPU(), chosen, len(chosen)/d, d)
}

// meansOf returns the mean directions of k groups of the vectors x. An empty group gets the vector that is farthest from the others' means.
func meansOf(x *tensor.Tensor, of []int32, k int) *tensor.Tensor {
	d := x.Dim(1)
	codes := tensor.FromInts(tensor.CPU(), of, len(of))
	counts, sums := tensor.Zeros(tensor.CPU(), k), tensor.Zeros(tensor.CPU(), k, d)
	tensor.CodeStats(counts, sums, codes, x)
	means := Unit(sums)
	count, center, values := counts.Float32s(), means.Float32s(), x.Float32s()
	for _, t := range []*tensor.Tensor{codes, counts, sums, means} {
		t.Release()
	}
	taken := make([]bool, len(of))
	for c := range k {
		if count[c] > 0 {
			continue
		}
		far, least := -1, math.Inf(1)
		for i, g := range of {
			s := cosine(values[i*d:(i+1)*d], center[int(g)*d:(int(g)+1)*d])
			if !taken[i] && s < least {
				far, least = i, s
			}
		}
		taken[far] = true
		copy(center[c*d:(c+1)*d], values[far*d:(far+1)*d])
	}
	return tensor.FromSlice(tensor.CPU(), center, k, d)
}

// sortClusters numbers clusters by size, and sorts their members. Empty ones are left out.
func sortClusters(x, centers []float32, of []int32, d int) Clusters {
	members := make([][]int, len(centers)/d)
	c := Clusters{Of: make([]int, len(of)), Cosine: make([]float32, len(of))}
	for i, g := range of {
		members[g] = append(members[g], i)
		c.Cosine[i] = float32(cosine(x[i*d:(i+1)*d], centers[int(g)*d:(int(g)+1)*d]))
	}
	members = slices.DeleteFunc(members, func(list []int) bool { return len(list) == 0 })
	slices.SortStableFunc(members, func(a, b []int) int { return cmp.Or(len(b)-len(a), a[0]-b[0]) })
	for g, list := range members {
		for _, i := range list {
			c.Of[i] = g
		}
		slices.SortStableFunc(list, func(i, j int) int { return cmp.Compare(c.Cosine[j], c.Cosine[i]) })
	}
	c.Members = members
	return c
}

// cosine is the dot product of unit vectors.
func cosine(a, b []float32) (sum float64) {
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}
