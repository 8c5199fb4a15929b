package explore

import (
	"context"

	"github.com/gobeit/gobeit/tensor"
)

// CodeMap says how the vectors of the codes that patches have lie to each other.
type CodeMap struct {
	Used       []int        // the codes, ascending
	Places     [][2]float32 // of each, along the two axes on which they vary most
	Explained  float64      // share of the variance along these axes
	Neighbours              // of each: Index counts in Used
}

// MapCodes compares the vectors of codes that have patches, and finds the nearest ones of each. vectors are those of all codes.
func MapCodes(ctx context.Context, vectors [][]float32, codes []Code, nearest int) (*CodeMap, error) {
	m := &CodeMap{}
	var flat []float32
	for k, c := range codes {
		if c.Patches > 0 {
			m.Used = append(m.Used, k)
			flat = append(flat, vectors[k]...)
		}
	}
	if len(m.Used) == 0 {
		return m, nil
	}
	x := tensor.FromSlice(tensor.CPU(), flat, len(m.Used), len(flat)/len(m.Used))
	defer x.Release()
	axes, err := PCA(x, min(2, x.Dim(1)))
	if err != nil {
		return nil, err
	}
	defer axes.Axes.Release()
	defer axes.Scores.Release()
	m.Places = make([][2]float32, len(m.Used))
	k := axes.Scores.Dim(1)
	for i, v := range axes.Scores.Float32s() {
		m.Places[i/k][i%k] = v
	}
	if axes.Total > 0 {
		for _, v := range axes.Variance {
			m.Explained += v / axes.Total
		}
	}
	unit := Unit(x)
	defer unit.Release()
	m.Neighbours, err = Nearest(ctx, unit, nearest)
	return m, err
}
