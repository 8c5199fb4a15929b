package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(codebooks)

func codebooks() []Case {
	var cases []Case
	for _, s := range [][3]int{{0, 3, 2}, {1, 1, 1}, {3, 17, 3}, {17, 65, 16}, {65, 3, 17}, {197, 512, 16}, {520, 1000, 32}} {
		m, k, d := s[0], s[1], s[2]
		cases = append(cases,
			nearestCase(m, k, d, "", f(m, d), f(k, d)),
			// whole numbers: many codes are equally near, exactly
			nearestCase(m, k, d, "/ties", in(oneOf(-1, 0, 1), m, d), in(oneOf(-1, 0, 1), k, d)),
			statsCase(m, k, d), emaCase(k, d))
	}
	return cases
}

func nearestCase(m, k, d int, name string, z, book Input) Case {
	return Case{
		Name:   fmt.Sprintf("NearestCode/m=%d/k=%d/d=%d%s", m, k, d, name),
		Inputs: []Input{z, book},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.NearestCode(in[0], in[1]))
		},
		Reference: func(in [][]float64) [][]float64 {
			codes := make([]float64, m)
			eachRow(in[0], d, func(r int, x []float64) {
				best := -1.0
				eachRow(in[1], d, func(c int, v []float64) {
					distance := 0.0
					for i := range x {
						distance += (x[i] - v[i]) * (x[i] - v[i])
					}
					if best < 0 || distance < best {
						best, codes[r] = distance, float64(c)
					}
				})
			})
			return one(codes)
		},
		FLOPs: 2 * float64(m*k*d),
	}
}

func statsCase(m, k, d int) Case {
	return Case{
		Name:   fmt.Sprintf("CodeStats/m=%d/k=%d/d=%d", m, k, d),
		Inputs: []Input{in(oneOf(0, 1, 2), k), f(k, d), ints(0, k, m), f(m, d)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			counts, sums := in[0].Clone(), in[1].Clone()
			tensor.CodeStats(counts, sums, in[2], in[3])
			return []*tensor.Tensor{counts, sums}
		},
		Reference: func(in [][]float64) [][]float64 {
			counts, sums := append([]float64(nil), in[0]...), append([]float64(nil), in[1]...)
			for r, c := range in[2] {
				counts[int(c)]++
				for i := range d {
					sums[int(c)*d+i] += in[3][r*d+i]
				}
			}
			return [][]float64{counts, sums}
		},
		Tolerance: 2e-6, FLOPs: float64(m * d),
	}
}

func emaCase(k, d int) Case {
	const decay = 0.99
	return Case{
		Name:   fmt.Sprintf("CodebookEMA/k=%d/d=%d", k, d),
		Inputs: []Input{in(uniform(0.1, 1), k, d), in(oneOf(0, 1, 7), k), in(uniform(-3, 1), k, d)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			book := in[0].Clone()
			tensor.CodebookEMA(book, in[1], in[2], decay)
			return one(book)
		},
		Reference: func(in [][]float64) [][]float64 {
			book := append([]float64(nil), in[0]...)
			eachRow(book, d, func(c int, row []float64) {
				mean := append([]float64(nil), row...)
				if n := in[1][c]; n > 0 {
					copy(mean, in[2][c*d:])
					norm := max(length(mean)/n, 1e-12)
					for i := range mean {
						mean[i] /= n * norm
					}
				}
				for i := range row {
					row[i] = decay*row[i] + (1-decay)*mean[i]
				}
				norm := max(length(row), 1e-12)
				for i := range row {
					row[i] /= norm
				}
			})
			return one(book)
		},
		Tolerance: 2e-6, FLOPs: float64(8 * k * d),
	}
}
