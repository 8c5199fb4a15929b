package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(losses)

func losses() []Case {
	var cases []Case
	for _, s := range [][2]int{{0, 3}, {1, 2}, {3, 17}, {65, 3}, {17, 197}, {520, 65}, {2, 8192}} {
		r, k := s[0], s[1]
		cases = append(cases,
			labelsCase(r, k, 0, ints(0, k, r), false, "labels"),
			labelsCase(r, k, 0.1, ints(-1, k, r), false, "labels/smoothing/ignored"),
			labelsCase(r, k, 0, ints(-1, 0, r), false, "labels/all ignored"),
			labelsCase(r, k, 0, ints(-k, k, r), true, "labels/ignored/over all"),
			labelsCase(r, k, 0.1, ints(-1, 0, r), true, "labels/all ignored/over all"),
			softCase(r, k),
			cosineCase(r, k))
	}
	return cases
}

func labelsCase(r, k int, smoothing float32, labels Input, overAll bool, name string) Case {
	s := float64(smoothing)
	return Case{
		Name:   fmt.Sprintf("CrossEntropy/r=%d/k=%d/%s", r, k, name),
		Inputs: []Input{in(uniform(-4, 4), r, k), labels},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.CrossEntropy(tensor.CrossEntropyArgs{Logits: in[0], Labels: in[1], Smoothing: smoothing, OverAll: overAll})
			return []*tensor.Tensor{a.Loss, a.LSE}
		},
		Reference: func(in [][]float64) [][]float64 {
			loss, lse, counted, p := 0.0, make([]float64, r), 0, make([]float64, k)
			eachRow(in[0], k, func(m int, row []float64) {
				lse[m] = softmax(p, row)
				label := int(in[1][m])
				if label < 0 {
					return
				}
				counted++
				for i, v := range row {
					target := s / float64(k)
					if i == label {
						target += 1 - s
					}
					loss += target * (lse[m] - v)
				}
			})
			if overAll {
				counted = r
			}
			return [][]float64{{loss / float64(max(counted, 1))}, lse}
		},
		Backward: func(_ *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.CrossEntropyGrad(dy, tensor.CrossEntropyArgs{
				Loss: out[0], LSE: out[1], Logits: in[0], Labels: in[1], Smoothing: smoothing, OverAll: overAll,
			}), nil}
		},
		Tolerance: 2e-6, FLOPs: float64(6 * r * k),
	}
}

// softCase has targets that do not add up to 1. They get no gradient.
func softCase(r, k int) Case {
	return Case{
		Name:   fmt.Sprintf("CrossEntropy/r=%d/k=%d/soft", r, k),
		Inputs: []Input{in(uniform(-4, 4), r, k), in(uniform(0, 2/float64(k)), r, k)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.CrossEntropy(tensor.CrossEntropyArgs{Logits: in[0], Soft: in[1]})
			return []*tensor.Tensor{a.Loss, a.LSE}
		},
		Reference: func(in [][]float64) [][]float64 {
			loss, lse, p := 0.0, make([]float64, r), make([]float64, k)
			eachRow(in[0], k, func(m int, row []float64) {
				lse[m] = softmax(p, row)
				for i, v := range row {
					loss += in[1][m*k+i] * (lse[m] - v)
				}
			})
			return [][]float64{{loss / float64(max(r, 1))}, lse}
		},
		Backward: func(_ *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.CrossEntropyGrad(dy, tensor.CrossEntropyArgs{
				Loss: out[0], LSE: out[1], Logits: in[0], Soft: in[1],
			}), nil}
		},
		Tolerance: 5e-6, FLOPs: float64(8 * r * k),
	}
}

func cosineCase(m, d int) Case {
	return Case{
		Name:   fmt.Sprintf("CosineLoss/m=%d/d=%d", m, d),
		Inputs: []Input{f(m, d), f(m, d)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.CosineLoss(in[0], in[1]))
		},
		Reference: func(in [][]float64) [][]float64 {
			loss := 0.0
			eachRow(in[0], d, func(r int, x []float64) {
				t, dot := in[1][r*d:(r+1)*d], 0.0
				for i := range x {
					dot += x[i] * t[i]
				}
				loss += 1 - dot/(math.Max(length(x), 1e-12)*math.Max(length(t), 1e-12))
			})
			return one([]float64{loss / float64(max(m, 1))})
		},
		Backward: func(_ *tensor.Device, in, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.CosineLossGrad(dy, in[0], in[1]), nil}
		},
		Tolerance: 5e-6, FLOPs: float64(6 * m * d),
	}
}
