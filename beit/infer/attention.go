package infer

import (
	"cmp"
	"fmt"
	"slices"
)

// Attention are the attention weights of one block for one image.
type Attention struct {
	Block      int // from 1
	Heads      int
	Rows, Cols int // of the grid of patches; N = Rows·Cols

	// Weights are [Heads, N+1, N+1]: for each head a row for each query, which sums to 1, and in it a column for each key. Row and column 0
	// are the class token's, the others those of the patches, row-major.
	Weights []float32
}

// ClassToken is the query of the class token.
const ClassToken = 0

// Query is the query of the patch at a row and column of the grid. It panics outside the grid.
func (a *Attention) Query(row, col int) int {
	if row < 0 || row >= a.Rows || col < 0 || col >= a.Cols {
		panic(fmt.Sprintf("infer: Attention.Query: patch (%d, %d) of a grid of %d x %d", row, col, a.Rows, a.Cols))
	}
	return 1 + row*a.Cols + col
}

// Map returns the weights of the patches for a query in a head, Rows·Cols numbers, row-major. With the weight of the class token they sum to 1.
// They are part of Weights.
func (a *Attention) Map(head, query int) []float32 {
	tokens := a.Rows*a.Cols + 1
	row := a.Weights[(head*tokens+query)*tokens:][:tokens:tokens]
	return row[1:]
}

// Mean returns the mean of the maps of all heads for a query.
func (a *Attention) Mean(query int) []float32 {
	mean := make([]float32, a.Rows*a.Cols)
	for i := range mean {
		sum := 0.0
		for head := range a.Heads {
			sum += float64(a.Map(head, query)[i])
		}
		mean[i] = float32(sum / float64(a.Heads))
	}
	return mean
}

// KeepMass says which of the weights, none of them negative, are the fewest that hold a part of their sum, such as 0.6. Of equal weights those
// with larger indices come first. A part of 1 keeps all weights that are not 0.
func KeepMass(weights []float32, part float64) []bool {
	order := make([]int, len(weights))
	sum := 0.0
	for i, w := range weights {
		order[i] = i
		sum += float64(w)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[a], weights[b]) })
	keep := make([]bool, len(weights))
	below := 0.0 // mass of the smaller weights, and of this one
	for _, i := range order {
		below += float64(weights[i])
		keep[i] = below > (1-part)*sum
	}
	return keep
}
