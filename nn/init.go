package nn

import (
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Init sets the initial values of a parameter.
type Init func(data []float32, r *tensor.Rand)

// Const returns an Init that sets all elements to v.
func Const(v float32) Init {
	return func(data []float32, _ *tensor.Rand) {
		for i := range data {
			data[i] = v
		}
	}
}

// Values returns an Init with these values, in row-major order.
func Values(v []float32) Init {
	return func(data []float32, _ *tensor.Rand) { copy(data, v) }
}

// Zeros and Ones are the usual constants.
var (
	Zeros = Const(0)
	Ones  = Const(1)
)

// TruncNormal returns an Init with a normal distribution of standard deviation std, truncated to [lo, hi].
func TruncNormal(std, lo, hi float64) Init {
	return func(data []float32, r *tensor.Rand) {
		for i := range data {
			data[i] = float32(r.TruncNorm(std, lo, hi))
		}
	}
}

// Uniform returns an Init with a uniform distribution on [-bound, bound].
func Uniform(bound float64) Init {
	return func(data []float32, r *tensor.Rand) {
		for i := range data {
			data[i] = float32(r.Uniform(-bound, bound))
		}
	}
}

// FanIn returns PyTorch's default Init of linear and convolution layers: uniform within ±1/√fanIn.
func FanIn(fanIn int) Init { return Uniform(1 / math.Sqrt(float64(fanIn))) }

// GlorotUniform returns PyTorch's xavier_uniform_: uniform within ±√(6/(fanIn+fanOut)).
func GlorotUniform(fanIn, fanOut int) Init { return Uniform(math.Sqrt(6 / float64(fanIn+fanOut))) }

// UnitRows returns an Init with random rows of length d and 2-norm 1: standard normal values divided by the norm of their row.
func UnitRows(d int) Init {
	return func(data []float32, r *tensor.Rand) {
		for ; len(data) > 0; data = data[d:] {
			row, sum := data[:d], 0.0
			for i := range row {
				x := r.Norm()
				row[i] = float32(x)
				sum += x * x
			}
			for i := range row {
				row[i] = float32(float64(row[i]) / max(math.Sqrt(sum), 1e-12))
			}
		}
	}
}

// Scaled returns an Init that multiplies the values of init by factor.
func Scaled(init Init, factor float64) Init {
	return func(data []float32, r *tensor.Rand) {
		init(data, r)
		for i := range data {
			data[i] = float32(float64(data[i]) * factor)
		}
	}
}
