package explore

import (
	"context"
	"fmt"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Set is what is known of N images.
type Set struct {
	Vectors *tensor.Tensor // [N, D], of a backbone
	Looks   []Look         // [N]
	Labels  []int          // [N]: index into Classes, negative without a label
	Classes []string
	Val     []bool // [N]: images for validation
}

// Options are the options of a Map. All numbers are positive, Threshold may be 0.
type Options struct {
	Clusters   int
	Neighbours int // that outliers are far from, and that vote about labels
	Subset     int
	Threshold  float64 // cosine from which images are alike; 0: by the distribution, see Threshold
	Seed       uint64
	Progress   func(phase string, done, total int) // nil: nobody wants to know
}

// Map is what a set of images looks like through a backbone.
type Map struct {
	Set
	Near      Neighbours // by the cosine of the vectors from their mean
	TSNE      *tensor.Tensor
	PCA       *tensor.Tensor // [N, 2], as TSNE
	Explained [2]float64     // parts of the variance along the axes of PCA
	Clusters  Clusters
	Pairs     []Pair  // near-duplicates
	Groups    [][]int // joined by pairs
	Leaks     []Pair  // pairs of a training image and a validation image
	Threshold float64 // from which images are alike
	Outliers  []Outlier
	Suspects  []Suspect // labels that are probably wrong
	Agreement float64   // part of the images whose neighbours agree with their label
	Subset    []int     // diverse images for training, the most central one first
	Radius    float64   // cosine of the training image that is farthest from the subset
}

// Explore makes a map of a set. The vectors are compared by direction from their mean: all images share the mean, and it hides how they differ.
func Explore(ctx context.Context, set Set, o Options) (*Map, error) {
	n := len(set.Looks)
	mustRows("Explore", set.Vectors)
	if n == 0 || set.Vectors.Dim(0) != n || len(set.Labels) != n || len(set.Val) != n {
		panic(fmt.Sprintf("explore: Explore: %d looks, %d labels, %d parts of vectors %v", n, len(set.Labels), len(set.Val), set.Vectors.Shape()))
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	m := &Map{Set: set}
	centered, err := m.project()
	if err != nil {
		return nil, err
	}
	defer centered.Release()
	o.Progress("neighbours", 0, 1)
	if m.Near, err = Nearest(ctx, centered, max(tsneNeighbours, candidates, o.Neighbours)); err != nil {
		return nil, err
	}
	o.Progress("clusters", 0, 1)
	if m.Clusters, err = KMeans(ctx, centered, o.Clusters, o.Seed); err != nil {
		return nil, err
	}
	m.TSNE, err = TSNE(ctx, m.Near, m.PCA, func(done, total int) { o.Progress("t-SNE", done, total) })
	if err != nil {
		return nil, err
	}
	copied := m.findDuplicates(o.Threshold)
	m.Outliers = Outliers(m.Near, set.Vectors, o.Neighbours)
	if len(set.Classes) > 0 {
		m.Suspects, m.Agreement = Suspects(m.Near, o.Neighbours, set.Labels, len(set.Classes), copied)
	}
	copies := m.Copies()
	m.Subset, m.Radius, err = Diverse(ctx, centered, o.Subset, func(i int) bool { return set.Val[i] || copies[i] })
	return m, err
}

// project sets the places by PCA, and returns the unit vectors from the mean.
func (m *Map) project() (*tensor.Tensor, error) {
	n, d := m.Vectors.Dim(0), m.Vectors.Dim(1)
	p, err := PCA(m.Vectors, min(2, d))
	if err != nil {
		return nil, err
	}
	places := make([]float32, 2*n)
	for i, v := range p.Scores.Float32s() {
		places[i/p.Scores.Dim(1)*2+i%p.Scores.Dim(1)] = v
	}
	m.PCA = tensor.FromSlice(tensor.CPU(), places, n, 2)
	for i, v := range p.Variance {
		m.Explained[i] = v / max(p.Total, 1e-300)
	}
	centered, _, _ := center(m.Vectors.Float32s(), n, d)
	x := tensor.FromSlice(tensor.CPU(), centered, n, d)
	defer x.Release()
	return Unit(x), nil
}

// findDuplicates finds pairs, and those of both parts, copies before what is only alike. It returns whether two images are a pair.
func (m *Map) findDuplicates(threshold float64) func(i, j int) bool {
	m.Pairs, m.Threshold = Duplicates(m.Near, m.Looks, threshold)
	pairs, copied := make(map[[2]int]bool, len(m.Pairs)), map[int]bool{}
	for _, p := range m.Pairs {
		pairs[[2]int{p.A, p.B}] = true
		if p.Relation != Alike {
			copied[p.A], copied[p.B] = true, true
		}
		if m.Val[p.A] != m.Val[p.B] {
			m.Leaks = append(m.Leaks, p)
		}
	}
	m.Groups = Groups(m.Pairs)
	m.Leaks = before(m.Leaks, func(p Pair) bool { return p.Relation != Alike })
	m.Groups = before(m.Groups, func(g []int) bool { return slices.ContainsFunc(g, func(i int) bool { return copied[i] }) })
	return func(i, j int) bool { return pairs[[2]int{min(i, j), max(i, j)}] }
}

// before returns a list with the wanted elements before the others.
func before[T any](list []T, wanted func(T) bool) []T {
	first := slices.DeleteFunc(slices.Clone(list), func(v T) bool { return !wanted(v) })
	return append(first, slices.DeleteFunc(list, wanted)...)
}

// Copies are the images to leave out so that no copies remain, by their pixels: of each group of copies all but the first validation image, or else
// but the first.
func (m *Map) Copies() map[int]bool {
	out := map[int]bool{}
	for _, group := range Groups(slices.DeleteFunc(slices.Clone(m.Pairs), func(p Pair) bool { return p.Relation == Alike })) {
		kept := group[max(slices.IndexFunc(group, func(i int) bool { return m.Val[i] }), 0)]
		for _, i := range group {
			out[i] = i != kept
		}
	}
	return out
}
