package explore

import (
	"context"
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// Unit returns the vectors x [N, D] divided by their lengths. A vector of zeros stays one.
func Unit(x *tensor.Tensor) *tensor.Tensor {
	mustRows("Unit", x)
	y, lengths := tensor.L2Normalize(x, 1e-12)
	lengths.Release()
	return y
}

// Neighbours are the nearest vectors of each of N vectors, without itself.
type Neighbours struct {
	K      int       // for each vector
	Index  []int32   // [N, K], the nearest first
	Cosine []float32 // [N, K], of the angle to them
}

// Of returns the neighbours of vector i.
func (n Neighbours) Of(i int) (index []int32, cosine []float32) {
	return n.Index[i*n.K : (i+1)*n.K], n.Cosine[i*n.K : (i+1)*n.K]
}

// Sizes of a block of the matrix of cosines: memory for 16 MiB.
const (
	nearestRows    = 256
	nearestColumns = 16384
)

// Nearest compares all pairs of the unit vectors x [N, D], and returns the k nearest of each, or all others if these are fewer. Of equally near ones
// the first count.
func Nearest(ctx context.Context, x *tensor.Tensor, k int) (Neighbours, error) {
	mustRows("Nearest", x)
	if k < 1 {
		panic(fmt.Sprintf("explore: Nearest: %d neighbours", k))
	}
	n := x.Dim(0)
	if err := finite(x.Float32s(), x.Dim(1)); err != nil {
		return Neighbours{}, err
	}
	k = max(min(k, n-1), 0)
	near := Neighbours{k, make([]int32, n*k), make([]float32, n*k)}
	if k == 0 {
		return near, nil
	}
	for row := 0; row < n; row += nearestRows {
		rows := min(nearestRows, n-row)
		found := make([]int, rows) // so far
		for column := 0; column < n; column += nearestColumns {
			if err := ctx.Err(); err != nil {
				return Neighbours{}, err
			}
			columns := min(nearestColumns, n-column)
			product := tensor.MatMul(x.Slice(0, row, row+rows), x.Slice(0, column, column+columns).T())
			cosines := product.Float32s()
			tensor.ParallelFor(rows, func(r int) {
				index, cosine := near.Of(row + r)
				for c, s := range cosines[r*columns : (r+1)*columns] {
					if column+c != row+r {
						found[r] = insert(index, cosine, found[r], int32(column+c), s)
					}
				}
			})
			product.Release()
		}
	}
	return near, nil
}

// insert puts a vector into a list of the nearest of which the first found are there, and returns how many are there now.
func insert(index []int32, cosine []float32, found int, i int32, s float32) int {
	if found == len(index) {
		if s <= cosine[found-1] {
			return found
		}
		found--
	}
	at := found
	for at > 0 && cosine[at-1] < s {
		index[at], cosine[at] = index[at-1], cosine[at-1]
		at--
	}
	index[at], cosine[at] = i, s
	return found + 1
}
