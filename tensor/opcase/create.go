package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(creations)

// creations have as their reference what the formula gives in float64.
func creations() []Case {
	var cases []Case
	made := func(name string, make_ func(dev *tensor.Device) *tensor.Tensor, n int, want func(i int) float64) {
		cases = append(cases, Case{
			Name:    name,
			Forward: func(dev *tensor.Device, _ []*tensor.Tensor) []*tensor.Tensor { return one(make_(dev)) },
			Reference: func([][]float64) [][]float64 {
				y := make([]float64, n)
				for i := range y {
					y[i] = want(i)
				}
				return one(y)
			},
			Tolerance: 1e-7,
		})
	}
	for _, n := range []int{0, 1, 17, 33001} {
		made(fmt.Sprintf("Arange/n=%d", n), func(dev *tensor.Device) *tensor.Tensor { return tensor.Arange(dev, -3, n-3) }, n,
			func(i int) float64 { return float64(i - 3) })
		made(fmt.Sprintf("Linspace/n=%d", n), func(dev *tensor.Device) *tensor.Tensor { return tensor.Linspace(dev, -2, 3, n) }, n,
			func(i int) float64 { return -2 + 5*float64(i)/float64(max(n-1, 1)) })
		r := tensor.NewRand(4, 5)
		normal, uniform := make([]float64, n), make([]float64, n)
		for i := range n {
			normal[i] = r.Norm()
		}
		for i := range n {
			uniform[i] = r.Uniform(-1, 3)
		}
		made(fmt.Sprintf("Rand/n=%d", n), func(dev *tensor.Device) *tensor.Tensor {
			r := tensor.NewRand(4, 5)
			return tensor.Concat(0, tensor.RandNormal(dev, r, n), tensor.RandUniform(dev, r, -1, 3, n))
		}, 2*n, func(i int) float64 { return append(normal, uniform...)[i] })
	}
	for _, s := range [][2]int{{0, 3}, {3, 0}, {3, 5}, {65, 17}} {
		r, k := s[0], s[1]
		cases = append(cases, Case{
			Name:    fmt.Sprintf("OneHot/r=%d/k=%d", r, k),
			Inputs:  []Input{ints(-1, k+1, 1, r)}, // some outside
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
		})
	}
	return cases
}
