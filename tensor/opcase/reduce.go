package opcase

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// eachRow applies g to each row of d elements.
func eachRow(x []float64, d int, g func(m int, row []float64)) {
	for m := 0; d > 0 && m < len(x)/d; m++ {
		g(m, x[m*d:(m+1)*d])
	}
}

var _ = family(reductions)

func reductions() []Case {
	var cases []Case
	for op, name := range []string{tensor.ReduceSum: "sum", tensor.ReduceMean: "mean", tensor.ReduceMax: "max"} {
		for _, c := range []struct {
			shape []int
			axis  int
		}{
			{[]int{17}, 0}, {[]int{1}, 0}, {[]int{70001}, 0}, {[]int{3, 17, 5}, 0}, {[]int{3, 17, 5}, 1}, {[]int{3, 17, 5}, 2},
			{[]int{2, 3, 0}, 1}, {[]int{197, 65}, 1}, {[]int{1700, 65}, 0}, {[]int{2, 520, 17}, 1}, {[]int{2, 3, 2500}, 1},
		} {
			cases = append(cases, reduceCase(tensor.ReduceOp(op), name, c.shape, c.axis))
		}
	}
	for _, s := range [][2]int{{0, 3}, {1, 1}, {3, 17}, {17, 65}, {520, 197}, {2, 8192}} {
		m, k := s[0], s[1]
		cases = append(cases,
			Case{
				Name:   fmt.Sprintf("ArgMax/m=%d/k=%d", m, k),
				Inputs: []Input{in(oneOf(0, 1, 2), m, k)}, // many ties
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.ArgMax(in[0]))
				},
				Reference: func(in [][]float64) [][]float64 {
					y := make([]float64, m)
					eachRow(in[0], k, func(m int, row []float64) {
						best := 0
						for i, v := range row {
							if v > row[best] {
								best = i
							}
						}
						y[m] = float64(best)
					})
					return one(y)
				},
			},
			Case{
				Name:   fmt.Sprintf("Softmax/m=%d/k=%d", m, k),
				Inputs: []Input{in(uniform(-5, 5), m, k)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Softmax(in[0]))
				},
				Reference: func(in [][]float64) [][]float64 {
					y := make([]float64, m*k)
					eachRow(in[0], k, func(m int, row []float64) { softmax(y[m*k:], row) })
					return one(y)
				},
				Backward: func(_ *tensor.Device, _, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
					return one(tensor.SoftmaxGrad(dy, out[0]))
				},
				Tolerance: 2e-6, FLOPs: float64(10 * m * k),
			},
			logSoftmaxCase(m, k), topKCase(m, k, k/3), topKCase(m, k, min(k, 20)))
	}
	for axis := range 3 {
		cases = append(cases, argMaxAlongCase(axis))
	}
	for _, shape := range [][]int{{17}, {70001}, {3, 17, 5}, {2, 3, 0}, {0, 3}, {2, 650}} {
		for axis := range shape {
			cases = append(cases, cumSumCase(shape, axis))
		}
	}
	for axis := 1; axis < 3; axis++ { // along axis 0 it has as many columns as a CPU driver takes half a minute for
		cases = append(cases, cumSumCase(tensor.Shape{2, 300, 65}, axis))
	}
	return append(cases, topKOfNaN())
}

// softmax fills y and returns the log of the denominator.
func softmax(y, x []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, v)
	}
	for i, v := range x {
		y[i] = math.Exp(v - top)
		sum += y[i]
	}
	for i := range x {
		y[i] /= sum
	}
	return top + math.Log(sum)
}

func reduceCase(op tensor.ReduceOp, name string, shape []int, axis int) Case {
	s := tensor.Shape(shape)
	outer, n, inner := s[:axis].Size(), s[axis], s[axis+1:].Size()
	return Case{
		Name:   fmt.Sprintf("Reduce/op=%s/shape=%v/axis=%d", name, shape, axis),
		Inputs: []Input{f(shape...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Reduce(op, in[0], axis))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, outer*inner)
			for i := range y {
				r := 0.0
				if op == tensor.ReduceMax {
					r = math.Inf(-1)
				}
				for j := range n {
					v := in[0][(i/inner*n+j)*inner+i%inner]
					if op == tensor.ReduceMax {
						r = max(r, v)
					} else {
						r += v
					}
				}
				if op == tensor.ReduceMean {
					r /= float64(n)
				}
				y[i] = r
			}
			return one(y)
		},
		Tolerance: 2e-6, FLOPs: float64(outer * n * inner),
	}
}

func logSoftmaxCase(m, k int) Case {
	return Case{
		Name:   fmt.Sprintf("Softmax/log/m=%d/k=%d", m, k),
		Inputs: []Input{in(uniform(-5, 5), m, k)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.LogSoftmax(in[0]))
		},
		Reference: func(in [][]float64) [][]float64 {
			y, p := make([]float64, m*k), make([]float64, k)
			eachRow(in[0], k, func(m int, row []float64) {
				lse := softmax(p, row)
				for i, x := range row {
					y[m*k+i] = x - lse
				}
			})
			return one(y)
		},
		Backward: func(_ *tensor.Device, _, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.LogSoftmaxGrad(dy, out[0]))
		},
		Tolerance: 2e-6, FLOPs: float64(10 * m * k),
	}
}

// topKCase has many ties.
func topKCase(m, k, count int) Case {
	return Case{
		Name:   fmt.Sprintf("TopK/m=%d/k=%d/count=%d", m, k, count),
		Inputs: []Input{in(oneOf(0, 1, -2, 3, 0.5, -0.25, 1e-40), m, k)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			values, index := tensor.TopK(in[0], count)
			return []*tensor.Tensor{values, index}
		},
		Reference: func(in [][]float64) [][]float64 {
			values, index, at := make([]float64, m*count), make([]float64, m*count), make([]int, k)
			eachRow(in[0], k, func(m int, row []float64) {
				for i := range at {
					at[i] = i
				}
				slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(row[b], row[a]) })
				for i, from := range at[:count] {
					values[m*count+i], index[m*count+i] = row[from], float64(from)
				}
			})
			return [][]float64{values, index}
		},
	}
}

// topKOfNaN has NaN, infinities and both zeros, in which the first of equals comes first.
func topKOfNaN() Case {
	nan, inf := math.NaN(), math.Inf(1)
	row := []float64{1, nan, -inf, inf, math.Copysign(0, -1), 0, nan, -1}
	return Case{
		Name:   "TopK/NaN",
		Inputs: []Input{in(func(_ *tensor.Rand, i int) float64 { return row[i] }, 1, len(row))},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			values, index := tensor.TopK(in[0], len(row))
			return []*tensor.Tensor{values, index}
		},
		Reference: func([][]float64) [][]float64 {
			return [][]float64{{nan, nan, inf, 1, 0, 0, -1, -inf}, {1, 6, 3, 0, 4, 5, 7, 2}}
		},
	}
}

func argMaxAlongCase(axis int) Case {
	shape := tensor.Shape{5, 17, 4}
	outer, n, inner := shape[:axis].Size(), shape[axis], shape[axis+1:].Size()
	return Case{
		Name:   fmt.Sprintf("ArgMaxAlong/axis=%d", axis),
		Inputs: []Input{in(oneOf(0, 1, 2), shape...)}, // many ties
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.ArgMaxAlong(in[0], axis))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, outer*inner)
			for i := range y {
				at := func(j int) float64 { return in[0][(i/inner*n+j)*inner+i%inner] }
				for j := range n {
					if at(j) > at(int(y[i])) {
						y[i] = float64(j)
					}
				}
			}
			return one(y)
		},
	}
}

func cumSumCase(shape tensor.Shape, axis int) Case {
	n, inner := shape[axis], shape[axis+1:].Size()
	return Case{
		Name:   fmt.Sprintf("CumSum/shape=%v/axis=%d", shape, axis),
		Inputs: []Input{f(shape...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.CumSum(in[0], axis))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := slices.Clone(in[0])
			for i := range y {
				if i/inner%n > 0 {
					y[i] += y[i-inner]
				}
			}
			return one(y)
		},
		Backward: func(_ *tensor.Device, _, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return one(tensor.CumSumGrad(dy, axis))
		},
		Tolerance: 2e-6, FLOPs: float64(shape.Size()),
	}
}
