package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(integers)

// integers are the operations on Int32.
func integers() []Case {
	is := func(holds bool) float64 {
		if holds {
			return 1
		}
		return 0
	}
	var cases []Case
	for _, b := range []struct {
		name string
		op   tensor.BinaryOp
		f    func(x, y float64) float64
	}{
		{"add", tensor.BinaryAdd, func(x, y float64) float64 { return x + y }},
		{"sub", tensor.BinarySub, func(x, y float64) float64 { return x - y }},
		{"mul", tensor.BinaryMul, func(x, y float64) float64 { return x * y }},
		{"max", tensor.BinaryMax, math.Max},
		{"min", tensor.BinaryMin, math.Min},
		{"greater", tensor.BinaryGreater, func(x, y float64) float64 { return is(x > y) }},
		{"greater equal", tensor.BinaryGreaterEqual, func(x, y float64) float64 { return is(x >= y) }},
		{"equal", tensor.BinaryEqual, func(x, y float64) float64 { return is(x == y) }},
		{"not equal", tensor.BinaryNotEqual, func(x, y float64) float64 { return is(x != y) }},
	} {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {3, 17}, {65, 600}} {
			m, n := s[0], s[1]
			cases = append(cases, Case{
				Name:   fmt.Sprintf("Binary/ints/op=%s/m=%d/n=%d", b.name, m, n),
				Inputs: []Input{ints(-9, 9, m, n), ints(-9, 9, m, n), ints(-9, 9, m, 1)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return []*tensor.Tensor{tensor.Binary(b.op, in[0], in[1]), tensor.Binary(b.op, in[0], in[2])}
				},
				Reference: func(in [][]float64) [][]float64 {
					same, wide := make([]float64, m*n), make([]float64, m*n)
					for i, x := range in[0] {
						same[i], wide[i] = b.f(x, in[1][i]), b.f(x, in[2][i/n])
					}
					return [][]float64{same, wide}
				},
			})
		}
	}
	for _, n := range sizes {
		cases = append(cases, Case{
			Name:   fmt.Sprintf("Cast/ints/n=%d", n),
			Inputs: []Input{in(uniform(-99, 99), n), ints(-1<<24, 1<<24, n)},
			Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{tensor.Cast(in[0], tensor.Int32), tensor.Cast(in[1], tensor.Float32)}
			},
			Reference: func(in [][]float64) [][]float64 { return [][]float64{mapped(math.Trunc)(in)[0], in[1]} },
		})
	}
	for _, s := range [][2]int{{0, 3}, {3, 0}, {3, 5}, {65, 17}} {
		cases = append(cases, oneHotCase(s[0], s[1]))
	}
	return append(cases, castEdges(), wrapAround())
}

// oneHotCase has labels outside.
func oneHotCase(r, k int) Case {
	return Case{
		Name:    fmt.Sprintf("OneHot/r=%d/k=%d", r, k),
		Inputs:  []Input{ints(-1, k+1, 1, r)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor { return one(tensor.OneHot(in[0], k)) },
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, r*k)
			for i, l := range in[0] {
				if l >= 0 && int(l) < k {
					y[i*k+int(l)] = 1
				}
			}
			return one(y)
		},
	}
}

// castEdges are numbers that do not fit.
func castEdges() Case {
	floats := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1 << 31, -1 << 31, 2147483520, -0.9, 0.9, 1e-40, -3e9}
	return Case{
		Name:   "Cast/ints/edges",
		Inputs: []Input{in(func(_ *tensor.Rand, i int) float64 { return floats[i] }, len(floats))},
		Forward: func(dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			large := tensor.FromInts(dev, []int32{1<<24 + 1, 1<<24 + 3, 1<<31 - 1, -1 << 31, 1<<30 + 64, 1<<30 + 65}, 6)
			return []*tensor.Tensor{tensor.Cast(in[0], tensor.Int32), tensor.Cast(large, tensor.Float32)}
		},
		Reference: func([][]float64) [][]float64 {
			return [][]float64{
				{0, math.MaxInt32, math.MinInt32, math.MaxInt32, math.MinInt32, 2147483520, 0, 0, 0, math.MinInt32},
				{1 << 24, 1<<24 + 4, 1 << 31, -1 << 31, 1 << 30, 1<<30 + 128},
			}
		},
	}
}

// wrapAround leaves the range of Int32.
func wrapAround() Case {
	return Case{
		Name: "Binary/ints/wrap around",
		Forward: func(dev *tensor.Device, _ []*tensor.Tensor) []*tensor.Tensor {
			a, b := tensor.FromInts(dev, []int32{math.MaxInt32, math.MinInt32, 1 << 20}, 3), tensor.FromInts(dev, []int32{1, 1, 1 << 12}, 3)
			return []*tensor.Tensor{tensor.Add(a, b), tensor.Sub(a, b), tensor.Mul(a, b)}
		},
		Reference: func([][]float64) [][]float64 {
			return [][]float64{{math.MinInt32, math.MinInt32 + 1, 1<<20 + 1<<12}, {math.MaxInt32 - 1, math.MaxInt32, 1<<20 - 1<<12}, {math.MaxInt32, math.MinInt32, 0}}
		},
	}
}
