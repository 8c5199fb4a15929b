package probe

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Sizes of a block of the similarity matrix: validation images and training images.
const (
	knnRows = 256
	knnCols = 16384
)

// KNN is KNNs for one number of neighbours.
func KNN(ctx context.Context, dev *tensor.Device, train, val Features, k int, temperature float64) (Score, error) {
	scores, err := KNNs(ctx, dev, train, val, []int{k}, temperature)
	if err != nil {
		return Score{}, err
	}
	return scores[0], nil
}

// KNNs classifies each image of val by its k nearest images of train, for each k of ks (eval_knn.py of facebookresearch/dino). Similarity
// s is the cosine, and each neighbour votes for its class with weight exp(s/temperature). Among equally similar images the first ones
// count.
// If train has fewer than k images, all vote. Top5 counts the min(5, k) best classes, because k neighbours vote for at most k classes.
func KNNs(ctx context.Context, dev *tensor.Device, train, val Features, ks []int, temperature float64) ([]Score, error) {
	if err := checkPair(train, val); err != nil {
		return nil, err
	}
	if len(ks) == 0 || slices.Min(ks) < 1 || temperature <= 0 {
		panic(fmt.Sprintf("probe: KNN: k = %v, temperature %g: all must be positive", ks, temperature))
	}
	tx, vx := unit(dev, train), unit(dev, val)
	defer tx.Release()
	defer vx.Release()
	tallies := make([]*Tally, len(ks))
	for i := range ks {
		tallies[i] = NewTally(val.Classes)
	}
	for lo := 0; lo < val.Len(); lo += knnRows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hi := min(lo+knnRows, val.Len())
		for i, list := range nearest(vx.Slice(0, lo, hi), tx, slices.Max(ks)) {
			for j, k := range ks {
				votes := make([]float64, train.Classes)
				for _, n := range list[:min(k, len(list))] {
					votes[train.Labels[n.row]] += math.Exp((float64(n.similarity) - float64(list[0].similarity)) / temperature) // at most 1
				}
				best := bestClasses(votes)
				tallies[j].add(best[:min(k, len(best))], val.Labels[lo+i])
			}
		}
	}
	var scores []Score
	for _, t := range tallies {
		scores = append(scores, t.Score())
	}
	return scores, nil
}

// unit uploads features as unit rows [M, D].
func unit(dev *tensor.Device, f Features) *tensor.Tensor {
	x := tensor.FromSlice(dev, f.X, f.Len(), f.Dim)
	defer x.Release()
	y, norm := tensor.L2Normalize(x, 1e-12)
	norm.Release()
	return y
}

// neighbour is a row of the training set and its similarity.
type neighbour struct {
	row        int32
	similarity float32
}

// nearest returns for each unit row of x its k nearest unit rows of train, most similar first.
func nearest(x, train *tensor.Tensor, k int) [][]neighbour {
	lists := make([][]neighbour, x.Dim(0))
	for lo := 0; lo < train.Dim(0); lo += knnCols {
		hi := min(lo+knnCols, train.Dim(0))
		scores := tensor.MatMul(x, train.Slice(0, lo, hi).T())
		s := scores.Float32s()
		scores.Release()
		n := hi - lo
		tensor.ParallelFor(len(lists), func(i int) { lists[i] = closest(lists[i], s[i*n:(i+1)*n], lo, k) })
	}
	return lists
}

// closest merges the similarities of training rows first, first+1, … into a list of at most k neighbours.
func closest(list []neighbour, similarities []float32, first, k int) []neighbour {
	for j, s := range similarities {
		if len(list) == k && s <= list[k-1].similarity {
			continue
		}
		if len(list) < k {
			list = append(list, neighbour{})
		}
		at := len(list) - 1
		for at > 0 && list[at-1].similarity < s {
			list[at] = list[at-1]
			at--
		}
		list[at] = neighbour{int32(first + j), s}
	}
	return list
}
