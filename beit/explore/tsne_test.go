package explore

import (
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// The forces are those of the definition: p from the neighbours, repulsion summed up over all pairs.
func TestForcesAreThoseOfAllPairs(t *testing.T) {
	r := tensor.NewRand(1)
	const n = 400
	at := make([]point, n)
	for i := range at {
		at[i] = point{r.Norm() * 20, r.Norm() * 10}
	}
	at[5] = at[6] // one place
	graph := make([][]edge, n)
	graph[0] = []edge{{1, 0.25}, {2, 0.125}}
	got := make([]point, n)
	forces(got, at, graph, 2)
	total, repulsion := 0.0, make([]point, n)
	for i := range n {
		for j := range n {
			dx, dy := at[i].x-at[j].x, at[i].y-at[j].y
			q := 1 / (1 + dx*dx + dy*dy)
			if i != j {
				total += q
				repulsion[i].x, repulsion[i].y = repulsion[i].x+q*q*dx, repulsion[i].y+q*q*dy
			}
		}
	}
	sum, wrong := 0.0, 0.0
	for i := range n {
		want := point{4 * repulsion[i].x / total, 4 * repulsion[i].y / total}
		for _, e := range graph[i] {
			dx, dy := at[i].x-at[e.to].x, at[i].y-at[e.to].y
			want.x -= 4 * 2 * e.p * dx / (1 + dx*dx + dy*dy)
			want.y -= 4 * 2 * e.p * dy / (1 + dx*dx + dy*dy)
		}
		sum += math.Hypot(want.x, want.y)
		wrong += math.Hypot(got[i].x-want.x, got[i].y-want.y)
	}
	if wrong > 0.03*sum { // what squares as points cost
		t.Errorf("forces are off by %g of %g", wrong, sum)
	}
}

func TestCalibrateGivesThePerplexity(t *testing.T) {
	cosines := make([]float32, 60)
	for i := range cosines {
		cosines[i] = 0.95 - 0.01*float32(i)
	}
	entropy, total := 0.0, 0.0
	for _, p := range calibrate(cosines, 20) {
		total += p
		if p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	if math.Abs(math.Exp(entropy)-20) > 0.01 || math.Abs(total-1) > 1e-9 {
		t.Errorf("perplexity %g, sum %g", math.Exp(entropy), total)
	}
	for _, w := range calibrate(make([]float32, 5), 2) { // equally far: no bandwidth tells them apart
		if math.Abs(w-0.2) > 1e-9 {
			t.Errorf("weight %g of five equal ones", w)
		}
	}
}

// Blobs stay apart on the map, each in one piece, and threads do not move a point.
func TestTSNEKeepsNeighbours(t *testing.T) {
	x := blobs(120, 12, 3, 0.2)
	near, err := Nearest(t.Context(), x, 30)
	if err != nil {
		t.Fatal(err)
	}
	p, err := PCA(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	onThreads(t, func() {
		steps := 0
		y, err := TSNE(t.Context(), near, p.Scores, func(done, total int) { steps++ })
		if err != nil || steps != tsneSteps {
			t.Fatal(steps, err)
		}
		at := y.Float32s()
		for i := range 120 {
			best, least := -1, math.Inf(1)
			for j := range 120 {
				if d := math.Hypot(float64(at[2*i]-at[2*j]), float64(at[2*i+1]-at[2*j+1])); j != i && d < least {
					best, least = j, d
				}
			}
			if best%3 != i%3 {
				t.Fatalf("the nearest to %d on the map is %d, of another blob", i, best)
			}
		}
		if first == nil {
			first = at
		}
		if !slices.Equal(first, at) {
			t.Error("threads move points")
		}
	})
}

// Equal vectors, two vectors and one have places that are finite.
func TestTSNEOfFew(t *testing.T) {
	for _, values := range [][]float32{{1, 0}, {1, 0, 0, 1}, {1, 0, 1, 0, 1, 0, 1, 0}} {
		x := tensor.FromSlice(tensor.CPU(), values, len(values)/2, 2)
		near, err := Nearest(t.Context(), x, 30)
		if err != nil {
			t.Fatal(err)
		}
		y, err := TSNE(t.Context(), near, tensor.Zeros(tensor.CPU(), len(values)/2, 2), func(int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		if err := finite(y.Float32s(), 2); err != nil {
			t.Errorf("%d vectors: %v", len(values)/2, err)
		}
	}
}
