package explore

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// blobs are n unit vectors of d numbers around k directions; blob i%k is that of vector i.
func blobs(n, d, k int, noise float64) *tensor.Tensor {
	centers, r := tensor.NewRand(3, 1), tensor.NewRand(3, 2)
	c := make([]float64, k*d)
	for i := range c {
		c[i] = centers.Norm()
	}
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(c[i/d%k*d+i%d] + noise*r.Norm())
	}
	return Unit(tensor.FromSlice(tensor.CPU(), x, n, d))
}

// onThreads calls f with one thread and with three.
func onThreads(t *testing.T, f func()) {
	t.Helper()
	old := tensor.Threads()
	defer tensor.SetThreads(old)
	for _, n := range []int{1, 3} {
		tensor.SetThreads(n)
		f()
	}
}

func TestNearestAreThoseOfAllPairs(t *testing.T) {
	const n, d, k = 700, 16, 9 // several blocks of rows
	x := blobs(n, d, 5, 0.4)
	values := x.Float32s()
	onThreads(t, func() {
		near, err := Nearest(t.Context(), x, k)
		if err != nil || near.K != k {
			t.Fatal(near.K, err)
		}
		for i := 0; i < n; i += 37 {
			index, cosines := near.Of(i)
			worst := math.Inf(1)
			for r, j := range index {
				s := cosine(values[i*d:(i+1)*d], values[int(j)*d:(int(j)+1)*d])
				if int(j) == i || math.Abs(s-float64(cosines[r])) > 1e-5 || s > worst+1e-6 || slices.Contains(index[:r], j) {
					t.Fatalf("neighbour %d of %d is %d with %g, its cosine is %g", r, i, j, cosines[r], s)
				}
				worst = s
			}
			for j := range n {
				if s := cosine(values[i*d:(i+1)*d], values[j*d:(j+1)*d]); j != i && s > worst+1e-5 && !slices.Contains(index, int32(j)) {
					t.Fatalf("%d is nearer to %d than the last neighbour, %g to %g", j, i, s, worst)
				}
			}
		}
	})
}

func TestNearestOfFewAndEqual(t *testing.T) {
	same := tensor.FromSlice(tensor.CPU(), []float32{1, 0, 1, 0, 1, 0}, 3, 2)
	near, err := Nearest(t.Context(), same, 10)
	if want := []int32{1, 2, 0, 2, 0, 1}; err != nil || near.K != 2 || !slices.Equal(near.Index, want) {
		t.Errorf("%+v, %v", near, err)
	}
	if one, err := Nearest(t.Context(), same.Slice(0, 0, 1), 3); err != nil || one.K != 0 || len(one.Index) != 0 {
		t.Errorf("of one vector: %+v, %v", one, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Nearest(ctx, same, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestKMeansFindsBlobs(t *testing.T) {
	x := blobs(200, 12, 4, 0.1)
	var first Clusters
	onThreads(t, func() {
		c, err := KMeans(t.Context(), x, 4, 7)
		if err != nil || len(c.Members) != 4 {
			t.Fatalf("%d clusters, %v", len(c.Members), err)
		}
		for g, members := range c.Members {
			for r, i := range members {
				if c.Of[i] != g || i%4 != members[0]%4 {
					t.Fatalf("cluster %d has vectors of several blobs", g)
				}
				if r > 0 && c.Cosine[i] > c.Cosine[members[r-1]] {
					t.Fatalf("members of cluster %d are not in order", g)
				}
			}
		}
		if first.Of == nil {
			first = c
		}
		if !slices.Equal(c.Of, first.Of) || !slices.Equal(c.Cosine, first.Cosine) {
			t.Error("threads change clusters")
		}
	})
	same := tensor.FromSlice(tensor.CPU(), []float32{1, 0, 1, 0, 0, 1}, 3, 2)
	if c, err := KMeans(t.Context(), same, 3, 1); err != nil || len(c.Members) != 2 || len(c.Members[0]) != 2 || c.Of[2] != 1 {
		t.Errorf("two directions: %+v, %v", c, err)
	}
}

func TestDiverseCovers(t *testing.T) {
	x := blobs(60, 12, 6, 0.05)
	chosen, radius, err := Diverse(t.Context(), x, 6, func(i int) bool { return i == 7 })
	if err != nil || len(chosen) != 6 || radius < 0.8 {
		t.Fatalf("%v, radius %g, %v", chosen, radius, err)
	}
	seen := map[int]bool{}
	for _, i := range chosen {
		seen[i%6] = true
	}
	if len(seen) != 6 || slices.Contains(chosen, 7) {
		t.Errorf("%v: not one of each blob", chosen)
	}
	if all, _, err := Diverse(t.Context(), x, 100, func(int) bool { return false }); err != nil || len(all) != 60 {
		t.Errorf("%d of 60 are chosen, %v", len(all), err)
	}
}
