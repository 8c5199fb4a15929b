package explore

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Pair is two images that are nearly the same.
type Pair struct {
	A, B     int // A < B
	Relation Relation
	Cosine   float64 // of their vectors; NaN where they are no neighbours
}

// candidates is how many neighbours of an image may be copies of it.
const candidates = 20

// Duplicates finds pairs of nearly the same images: copies by their pixels among neighbours, and everywhere those with the same pixels; and images that
// are alike, which are each other's nearest neighbours above a threshold. A threshold of 0 is chosen by the cosines to nearest neighbours: see
// Threshold. It returns the pairs, in order of A and B, and the threshold.
func Duplicates(near Neighbours, looks []Look, threshold float64) ([]Pair, float64) {
	n := len(looks)
	if len(near.Index) != n*near.K {
		panic(fmt.Sprintf("explore: Duplicates: %d neighbours of %d images", len(near.Index), n))
	}
	found := make([][]Pair, n)
	tensor.ParallelFor(n, func(i int) { found[i] = copiesOf(i, near, looks) })
	pairs := slices.Concat(found...)
	pairs = append(pairs, samePixels(looks)...)
	pairs = distinct(pairs)
	copied := make(map[[2]int]bool, len(pairs))
	for _, p := range pairs {
		copied[[2]int{p.A, p.B}] = true
	}
	if threshold == 0 {
		threshold = Threshold(near, func(i, j int) bool { return copied[[2]int{min(i, j), max(i, j)}] })
	}
	for i := range n {
		index, cosine := near.Of(i)
		if near.K == 0 || float64(cosine[0]) < threshold {
			continue
		}
		j := int(index[0])
		if back, _ := near.Of(j); i < j && int(back[0]) == i {
			pairs = append(pairs, Pair{i, j, Alike, float64(cosine[0])})
		}
	}
	return distinct(pairs), threshold
}

// copiesOf returns the copies of an image among its neighbours.
func copiesOf(i int, near Neighbours, looks []Look) (list []Pair) {
	index, cosine := near.Of(i)
	for r, to := range index[:min(candidates, len(index))] {
		j := int(to)
		if relation := looks[i].To(&looks[j]); relation != Unrelated {
			list = append(list, Pair{min(i, j), max(i, j), relation, float64(cosine[r])})
		}
	}
	return list
}

// samePixels pairs images of the same pixels: each with the first that has them.
func samePixels(looks []Look) (list []Pair) {
	type key struct {
		hash uint64
		w, h int
	}
	first := make(map[key]int, len(looks))
	for i := range looks {
		k := key{looks[i].Hash, looks[i].W, looks[i].H}
		if j, ok := first[k]; ok {
			list = append(list, Pair{j, i, SamePixels, math.NaN()})
		} else {
			first[k] = i
		}
	}
	return list
}

// distinct sorts pairs, and keeps of each one the first that was found.
func distinct(pairs []Pair) []Pair {
	slices.SortStableFunc(pairs, func(p, q Pair) int { return cmp.Or(cmp.Compare(p.A, q.A), cmp.Compare(p.B, q.B)) })
	return slices.CompactFunc(pairs, func(p, q Pair) bool { return p.A == q.A && p.B == q.B })
}

// deviations is how many standard deviations from the median are far, for a normal distribution by its median absolute deviation.
const deviations = 3.5

// fewestDistances is how many distances tell at least what is usual.
const fewestDistances = 10

// Threshold is a cosine above which nearest neighbours are nearer than usual. The logarithms of the distances 1 - cosine to nearest neighbours have a
// median and a median absolute deviation; far below the median counts. left says which pairs do not. It is 1 where fewer than ten distances, or
// more than half of them equal, do not tell what is usual.
func Threshold(near Neighbours, left func(i, j int) bool) float64 {
	var logs []float64
	for i := range len(near.Index) / max(near.K, 1) {
		index, cosine := near.Of(i)
		for r, j := range index {
			if !left(i, int(j)) {
				logs = append(logs, math.Log(max(1-float64(cosine[r]), 1e-7)))
				break
			}
		}
	}
	median, spread := medianAndSpread(logs)
	if len(logs) < fewestDistances || spread == 0 {
		return 1
	}
	return 1 - math.Exp(median-deviations*spread)
}

// medianAndSpread returns the median of values and their standard deviation, estimated by the median absolute deviation.
func medianAndSpread(values []float64) (median, spread float64) {
	if len(values) == 0 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(values))
	median = sorted[len(sorted)/2]
	for i, v := range sorted {
		sorted[i] = math.Abs(v - median)
	}
	slices.Sort(sorted)
	return median, 1.4826 * sorted[len(sorted)/2]
}

// Groups joins pairs that share an image, the largest groups first. The images of a group are sorted.
func Groups(pairs []Pair) [][]int {
	parent := make(map[int]int, 2*len(pairs))
	var root func(i int) int
	root = func(i int) int {
		if p, ok := parent[i]; ok && p != i {
			parent[i] = root(p)
			return parent[i]
		}
		return i
	}
	for _, p := range pairs {
		a, b := root(p.A), root(p.B)
		parent[max(a, b)] = min(a, b)
	}
	members := map[int][]int{}
	seen := map[int]bool{}
	for _, p := range pairs {
		for _, i := range []int{p.A, p.B} {
			if !seen[i] {
				seen[i] = true
				members[root(i)] = append(members[root(i)], i)
			}
		}
	}
	groups := make([][]int, 0, len(members))
	for _, list := range members {
		slices.Sort(list)
		groups = append(groups, list)
	}
	slices.SortFunc(groups, func(a, b []int) int { return cmp.Or(len(b)-len(a), a[0]-b[0]) })
	return groups
}
