package explore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Constants of t-SNE (van der Maaten and Hinton 2008; van der Maaten 2014, "Accelerating t-SNE using tree-based algorithms"). The step size is that
// of Belkina et al. 2019, N divided by the exaggeration.
const (
	tsneSteps        = 500
	tsneEarly        = 150 // steps with exaggeration
	tsneExaggeration = 12
	tsneNeighbours   = 60 // of each vector
	tsnePerplexity   = 20 // or a third of the neighbours, where these are fewer
	tsneStart        = 1e-4
)

// edge is a neighbour of a vector, and how strongly they attract each other.
type edge struct {
	to int32
	p  float64
}

// TSNE places N vectors in a plane so that near neighbours stay near each other (t-SNE). start is a first placement [N, 2], such as that of PCA. The
// attraction is that of the neighbours; the repulsion of all others is summed up by a quadtree (Barnes-Hut). progress is called before every step.
func TSNE(ctx context.Context, near Neighbours, start *tensor.Tensor, progress func(done, total int)) (*tensor.Tensor, error) {
	mustRows("TSNE", start)
	n := start.Dim(0)
	if start.Dim(1) != 2 || len(near.Index) != n*near.K {
		panic(fmt.Sprintf("explore: TSNE: %d neighbours of a start %v", len(near.Index), start.Shape()))
	}
	m := newMotion(start)
	graph := affinities(near, n)
	force := make([]point, n)
	for step := range tsneSteps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		progress(step, tsneSteps)
		exaggeration, momentum := 1.0, 0.8
		if step < tsneEarly {
			exaggeration, momentum = tsneExaggeration, 0.5
		}
		forces(force, m.at, graph, exaggeration)
		m.step(force, momentum)
	}
	flat := make([]float32, 0, 2*n)
	for _, p := range m.at {
		flat = append(flat, float32(p.x), float32(p.y))
	}
	return tensor.FromSlice(tensor.CPU(), flat, n, 2), nil
}

// affinities are the probabilities p of t-SNE, symmetric, for the neighbours of n vectors in either direction. Those of a vector are sorted by
// number.
func affinities(near Neighbours, n int) [][]edge {
	perplexity := max(min(tsnePerplexity, float64(near.K)/3), 1)
	weights := make([][]float64, n)
	tensor.ParallelFor(n, func(i int) {
		_, cosines := near.Of(i)
		weights[i] = calibrate(cosines, perplexity)
	})
	graph := make([][]edge, n)
	for i := range n {
		index, _ := near.Of(i)
		for r, j := range index {
			p := weights[i][r] / float64(2*n)
			graph[i] = append(graph[i], edge{j, p})
			graph[j] = append(graph[j], edge{int32(i), p})
		}
	}
	tensor.ParallelFor(n, func(i int) {
		list := graph[i]
		slices.SortStableFunc(list, func(a, b edge) int { return cmp.Compare(a.to, b.to) })
		kept := list[:0]
		for _, e := range list {
			if last := len(kept) - 1; last >= 0 && kept[last].to == e.to {
				kept[last].p += e.p
			} else {
				kept = append(kept, e)
			}
		}
		graph[i] = kept
	})
	return graph
}

// calibrate returns weights of neighbours that sum to 1: exp(-beta d), where d is the squared distance of unit vectors and beta gives the wanted
// perplexity.
func calibrate(cosines []float32, perplexity float64) []float64 {
	weights := make([]float64, len(cosines))
	low, high, beta := 0.0, math.Inf(1), 1.0
	for range 60 {
		sum, mean := 0.0, 0.0
		for r, s := range cosines {
			d := 2 * (float64(cosines[0]) - float64(s)) // farther than the nearest: the same weights
			w := math.Exp(-beta * d)
			weights[r] = w
			sum, mean = sum+w, mean+w*d
		}
		for r := range weights {
			weights[r] /= sum
		}
		entropy := math.Log(sum) + beta*mean/sum
		switch {
		case math.Abs(entropy-math.Log(perplexity)) < 1e-5:
			return weights
		case entropy > math.Log(perplexity):
			low = beta
		default:
			high = beta
		}
		if beta = (low + high) / 2; math.IsInf(high, 1) {
			beta = 2 * low
		}
	}
	return weights
}

// forces writes the negative gradient at each place.
func forces(force, at []point, graph [][]edge, exaggeration float64) {
	tree := newQuadtree(at)
	repulsion, weight := make([]point, len(at)), make([]float64, len(at))
	tensor.ParallelFor(len(at), func(i int) { repulsion[i], weight[i] = tree.repulsion(at[i]) })
	total := 0.0
	for _, w := range weight {
		total += w - 1 // without itself
	}
	total = max(total, 1e-12)
	tensor.ParallelFor(len(at), func(i int) {
		var f point
		for _, e := range graph[i] {
			dx, dy := at[i].x-at[e.to].x, at[i].y-at[e.to].y
			q := e.p / (1 + dx*dx + dy*dy)
			f.x, f.y = f.x-q*dx, f.y-q*dy
		}
		force[i] = point{
			4 * (exaggeration*f.x + repulsion[i].x/total),
			4 * (exaggeration*f.y + repulsion[i].y/total),
		}
	})
}

// motion moves places along forces, with momentum and a gain for each number.
type motion struct {
	at, velocity, gain []point
	rate               float64
}

// newMotion begins at a placement, which it scales to the usual size.
func newMotion(start *tensor.Tensor) *motion {
	values := start.Float32s()
	n := start.Dim(0)
	squares := 0.0
	for i := range n {
		squares += float64(values[2*i]) * float64(values[2*i])
	}
	scale := tsneStart
	if squares > 0 {
		scale /= math.Sqrt(squares / float64(n))
	}
	m := &motion{at: make([]point, n), velocity: make([]point, n), gain: make([]point, n), rate: max(float64(n)/tsneExaggeration/4, 50)}
	for i := range n {
		m.at[i] = point{scale * float64(values[2*i]), scale * float64(values[2*i+1])}
		m.gain[i] = point{1, 1}
	}
	return m
}

// step moves all places once, and their mean to 0.
func (m *motion) step(force []point, momentum float64) {
	var mean point
	for i, f := range force {
		v, g := &m.velocity[i], &m.gain[i]
		g.x, g.y = gain(g.x, f.x, v.x), gain(g.y, f.y, v.y)
		v.x, v.y = momentum*v.x+m.rate*g.x*f.x, momentum*v.y+m.rate*g.y*f.y
		m.at[i].x += v.x
		m.at[i].y += v.y
		mean.x, mean.y = mean.x+m.at[i].x, mean.y+m.at[i].y
	}
	for i := range m.at {
		m.at[i].x -= mean.x / float64(len(m.at))
		m.at[i].y -= mean.y / float64(len(m.at))
	}
}

// gain grows where force and velocity agree, and shrinks where they do not.
func gain(old, force, velocity float64) float64 {
	if force*velocity > 0 {
		return old + 0.2
	}
	return max(0.8*old, 0.01)
}
