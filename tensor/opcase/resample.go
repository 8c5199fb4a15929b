package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(resamples)

// axisMap is a map of one axis: its taps, and its weights as the definition has them, weight(i, j) of input j in output i.
type axisMap struct {
	name   string
	taps   *tensor.Taps
	weight func(i, j int) float64
}

func resamples() []Case {
	sizes := []struct {
		shape      []int
		rows, cols int
	}{
		{[]int{0, 3, 4, 4}, 2, 2}, {[]int{1, 1, 1, 1}, 1, 1}, {[]int{2, 3, 1, 1}, 4, 3}, {[]int{2, 3, 7, 9}, 1, 1}, {[]int{2, 3, 7, 9}, 3, 6},
		{[]int{2, 3, 7, 9}, 15, 18}, {[]int{1, 2, 13, 11}, 5, 4}, {[]int{2, 3, 3, 8}, 3, 21}, {[]int{2, 3, 8, 3}, 17, 3}, {[]int{1, 2, 5, 6}, 5, 6},
		{[]int{3, 5, 16, 16}, 64, 64}, {[]int{1, 65, 33, 30}, 6, 6},
	}
	var cases []Case
	for _, s := range sizes {
		for _, kind := range []func(from, to int) axisMap{bilinearAxis, nearestAxis, adaptiveAxis} {
			cases = append(cases, resampleCase(s.shape, kind(s.shape[2], s.rows), kind(s.shape[3], s.cols)))
		}
	}
	for _, w := range [][3]int{{1, 1, 0}, {2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {4, 3, 2}} {
		cases = append(cases, resampleCase([]int{2, 3, 7, 9}, windowAxis(7, w[0], w[1], w[2]), windowAxis(9, w[0], w[1], w[2])))
	}
	return cases
}

func bilinearAxis(from, to int) axisMap {
	return axisMap{fmt.Sprintf("bilinear %d to %d", from, to), tensor.BilinearTaps(from, to), func(i, j int) float64 {
		at := max((float64(i)+0.5)*float64(from)/float64(to)-0.5, 0)
		low := math.Floor(at)
		weight, right := 0.0, min(low+1, float64(from-1))
		if float64(j) == low {
			weight += 1 - (at - low)
		}
		if float64(j) == right {
			weight += at - low
		}
		return weight
	}}
}

func nearestAxis(from, to int) axisMap {
	return axisMap{fmt.Sprintf("nearest %d to %d", from, to), tensor.NearestTaps(from, to), func(i, j int) float64 {
		if j*to <= i*from && i*from < (j+1)*to {
			return 1
		}
		return 0
	}}
}

func adaptiveAxis(from, to int) axisMap {
	return axisMap{fmt.Sprintf("adaptive %d to %d", from, to), tensor.AdaptiveTaps(from, to), func(i, j int) float64 {
		lo, hi := math.Floor(float64(i*from)/float64(to)), math.Ceil(float64((i+1)*from)/float64(to))
		if lo <= float64(j) && float64(j) < hi {
			return 1 / (hi - lo)
		}
		return 0
	}}
}

func windowAxis(from, kernel, stride, padding int) axisMap {
	taps := tensor.WindowTaps(from, kernel, stride, padding)
	return axisMap{fmt.Sprintf("windows of %d, %d apart, padding %d, on %d", kernel, stride, padding, from), taps, func(i, j int) float64 {
		if first := i*stride - padding; first <= j && j < first+kernel {
			return 1 / float64(kernel)
		}
		return 0
	}}
}

// resampleCase compares with the sum over all pairs of inputs and weights.
func resampleCase(s []int, rows, cols axisMap) Case {
	_, h := rows.taps.Sizes()
	_, w := cols.taps.Sizes()
	return Case{
		Name:   fmt.Sprintf("Resample/x=%v/%s/%s", s, rows.name, cols.name),
		Inputs: []Input{f(s...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Resample(in[0], rows.taps, cols.taps))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, s[0]*s[1]*h*w)
			for at := range y {
				p, i, j := at/(h*w), at/w%h, at%w
				for r := range s[2] {
					down := rows.weight(i, r)
					if down == 0 {
						continue
					}
					for q := range s[3] {
						y[at] += down * cols.weight(j, q) * in[0][(p*s[2]+r)*s[3]+q]
					}
				}
			}
			return one(y)
		},
		Backward: func(_ *tensor.Device, _, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Resample(dy, rows.taps.Transpose(), cols.taps.Transpose()))
		},
		Tolerance: 2e-6, FLOPs: float64(s[0] * s[1] * (s[2]*s[3] + h*w) * max(s[2], s[3])),
	}
}
