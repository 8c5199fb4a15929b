package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(batchNorms)

const bnEps = 1e-5

func batchNorms() []Case {
	var cases []Case
	for _, s := range [][]int{{1, 1, 7}, {2, 3, 7, 9}, {3, 5, 1, 1}, {5, 17}, {2, 65, 3, 5}, {2, 3, 65, 65}, {3, 33, 31, 17}} {
		cases = append(cases, batchStatsCase(s), batchNormSumsCase(s))
		for _, add := range []bool{false, true} {
			cases = append(cases, batchNormCase(s, true, add), batchNormCase(s, false, add))
		}
	}
	return append(cases, batchNormCase([]int{0, 3, 4, 4}, false, false))
}

// channelValues calls g with the place and the channel of each value of a tensor of shape s.
func channelValues(s []int, g func(at, channel int)) {
	n := tensor.Shape(s[2:]).Size()
	for at := range tensor.Shape(s).Size() {
		g(at, at/n%s[1])
	}
}

// momentsOf are mean and biased variance of each channel.
func momentsOf(s []int, x []float64) (mean, variance []float64) {
	mean, variance = make([]float64, s[1]), make([]float64, s[1])
	count := float64(len(x) / s[1])
	channelValues(s, func(at, c int) { mean[c] += x[at] / count })
	channelValues(s, func(at, c int) { variance[c] += (x[at] - mean[c]) * (x[at] - mean[c]) / count })
	return mean, variance
}

func batchStatsCase(s []int) Case {
	return Case{
		Name:   fmt.Sprintf("BatchStats/x=%v", s),
		Inputs: []Input{in(uniform(-2, 3), s...)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			mean, variance := tensor.BatchStats(in[0])
			return []*tensor.Tensor{mean, variance}
		},
		Reference: func(in [][]float64) [][]float64 {
			mean, variance := momentsOf(s, in[0])
			return [][]float64{mean, variance}
		},
		Tolerance: 3e-6, FLOPs: float64(4 * tensor.Shape(s).Size()),
	}
}

func batchNormSumsCase(s []int) Case {
	c := s[1]
	return Case{
		Name:   fmt.Sprintf("BatchNormSums/x=%v", s),
		Inputs: []Input{in(uniform(-2, 3), s...), in(uniform(-2, 3), s...), f(c), in(uniform(0.5, 2), c)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.BatchNormSums(in[0], in[1], in[2], in[3], bnEps))
		},
		Reference: func(in [][]float64) [][]float64 {
			sums := make([]float64, 2*c)
			channelValues(s, func(at, ch int) {
				sums[ch] += in[0][at] * (in[1][at] - in[2][ch]) / math.Sqrt(in[3][ch]+bnEps)
				sums[c+ch] += in[0][at]
			})
			return one(sums)
		},
		Tolerance: 5e-6, FLOPs: float64(5 * tensor.Shape(s).Size()),
	}
}

// batchNormCase is batch norm by the statistics of the batch, or by given ones.
func batchNormCase(s []int, train, add bool) Case {
	c := s[1]
	name := fmt.Sprintf("BatchNorm/x=%v/train=%v", s, train)
	if add {
		name += "/gradients added"
	}
	inputs := []Input{in(uniform(-2, 3), s...), f(c), f(c)}
	if !train {
		inputs = append(inputs, f(c), in(uniform(0.5, 2), c))
	}
	statistics := func(in []*tensor.Tensor) (mean, variance *tensor.Tensor) {
		if train {
			return tensor.BatchStats(in[0])
		}
		return in[3], in[4]
	}
	return Case{
		Name:   name,
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			mean, variance := statistics(in)
			return one(tensor.BatchNorm(in[0], mean, variance, in[1], in[2], bnEps))
		},
		Reference: func(in [][]float64) [][]float64 {
			var mean, variance []float64
			if train {
				mean, variance = momentsOf(s, in[0])
			} else {
				mean, variance = in[3], in[4]
			}
			y := make([]float64, len(in[0]))
			channelValues(s, func(at, ch int) {
				y[at] = (in[0][at]-mean[ch])/math.Sqrt(variance[ch]+bnEps)*in[1][ch] + in[2][ch]
			})
			return one(y)
		},
		Backward: func(dev *tensor.Device, in, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			mean, variance := statistics(in)
			sums := tensor.BatchNormSums(dy, in[0], mean, variance, bnEps)
			a := tensor.BatchNormGradArgs{
				DX: gradient(dev, add, in[0].Shape()), DY: dy, X: in[0], W: in[1], Mean: mean, Var: variance, Eps: bnEps,
			}
			if train {
				a.Sums, a.Count = sums, in[0].Size()/c
			}
			tensor.BatchNormGrad(a)
			grads := []*tensor.Tensor{taken(a.DX), sums.Slice(0, 0, 1).Reshape(c), sums.Slice(0, 1, 2).Reshape(c)}
			if !train {
				grads = append(grads, nil, nil)
			}
			return grads
		},
		Tolerance: 5e-6, FLOPs: float64(8 * tensor.Shape(s).Size()),
	}
}
