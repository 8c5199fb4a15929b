package nn

import (
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// Init fills a parameter's initial value.
type Init func(data []float32, r *tensor.Rand)

// Const fills with v.
func Const(v float32) Init {
	return func(data []float32, _ *tensor.Rand) {
		for i := range data {
			data[i] = v
		}
	}
}

// Zeros and Ones are the usual constants.
var (
	Zeros = Const(0)
	Ones  = Const(1)
)

// TruncNormal draws from a normal of deviation std, cut to [lo, hi].
func TruncNormal(std, lo, hi float64) Init {
	return func(data []float32, r *tensor.Rand) {
		for i := range data {
			data[i] = float32(r.TruncNorm(std, lo, hi))
		}
	}
}

// Uniform draws from ±bound.
func Uniform(bound float64) Init {
	return func(data []float32, r *tensor.Rand) {
		for i := range data {
			data[i] = float32(r.Uniform(-bound, bound))
		}
	}
}

// FanIn is PyTorch's default for linear and convolution layers: uniform within ±1/√fanIn.
func FanIn(fanIn int) Init { return Uniform(1 / math.Sqrt(float64(fanIn))) }

// UnitRows draws rows of d standard normal numbers and divides each by its 2-norm.
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

// Scaled multiplies what init drew by factor.
func Scaled(init Init, factor float64) Init {
	return func(data []float32, r *tensor.Rand) {
		init(data, r)
		for i := range data {
			data[i] = float32(float64(data[i]) * factor)
		}
	}
}
