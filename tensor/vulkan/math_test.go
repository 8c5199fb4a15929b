package vulkan_test

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// wholeRange is every step-th float32, the neighbourhood of each power of two, and that of the points where a formula changes.
func wholeRange(step uint64) []float32 {
	var x []float32
	add := func(bits uint32) { x = append(x, math.Float32frombits(bits)) }
	for b := uint64(0); b < 1<<32; b += step {
		add(uint32(b))
	}
	for exponent := range uint32(512) { // the ninth bit is the sign
		for _, low := range []uint32{0, 1, 2, 0x3504f2, 0x3504f3, 0x3504f4, 0x400000, 0x7ffffe, 0x7fffff} {
			add(exponent<<23 | low)
		}
	}
	for _, at := range []float32{0.625, 9.01, 10, 13.2, 14.75, 61.7, 87.3366, 88.7228, 103.97, 104, 105} {
		for d := -20; d <= 20; d++ {
			b := uint32(int(math.Float32bits(at)) + d)
			add(b)
			add(b | 1<<31)
		}
	}
	return x
}

// atInfinity is f with its limits, 0 and high, instead of Inf·0.
func atInfinity(high float64, f func(float64) float64) func(float64) float64 {
	return func(x float64) float64 {
		switch {
		case math.IsInf(x, -1):
			return 0
		case math.IsInf(x, 1):
			return high
		}
		return f(x)
	}
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// The functions keep the bounds that the CPU states for its own (tensor/internal/kernel, vec.go), in units in the last place or absolute.
// A driver may take numbers below the normal range for 0, as arguments and as results.
func TestCurvesWholeRange(t *testing.T) {
	const tiny = 0x1p-126
	inf := math.Inf(1)
	curves := []struct {
		name          string
		op            tensor.UnaryOp
		grad          bool
		exact         func(float64) float64
		ulp, absolute float64
	}{
		{"exp", tensor.UnaryExp, false, math.Exp, 2, 0},
		{"log", tensor.UnaryLog, false, math.Log, 2, 0},
		{"sqrt", tensor.UnarySqrt, false, math.Sqrt, 3, 0}, // the built-in function: Vulkan asks for no more
		{"tanh", tensor.UnaryTanh, false, math.Tanh, 2, 0},
		{"sigmoid", tensor.UnarySigmoid, false, logistic, 3, 0},
		{"gelu", tensor.UnaryGELU, false, atInfinity(inf, func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }), 7, 0},
		{"quickgelu", tensor.UnaryQuickGELU, false, atInfinity(inf, func(x float64) float64 { return x * logistic(1.702*x) }), 2, 5e-7},
		{"relu", tensor.UnaryReLU, false, func(x float64) float64 { return max(x, 0) }, 0, 0},
		{"gelu gradient", tensor.UnaryGELU, true, atInfinity(1, func(x float64) float64 {
			return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
		}), 2, 5e-7},
		{"quickgelu gradient", tensor.UnaryQuickGELU, true, atInfinity(1, func(x float64) float64 {
			s := logistic(1.702 * x)
			return s + 1.702*x*s*logistic(-1.702*x)
		}), 2, 5e-7},
	}
	values := wholeRange(19997)
	onDrivers(t, func(t *testing.T, dev *tensor.Device) {
		x := tensor.FromSlice(dev, values, len(values))
		ones := tensor.Full(dev, 1, len(values))
		for _, c := range curves {
			t.Run(c.name, func(t *testing.T) {
				var got []float32
				if c.grad {
					got = tensor.UnaryGrad(c.op, ones, x, nil).Float32s()
				} else {
					got = tensor.Unary(c.op, x).Float32s()
				}
				worst, at := 0.0, float32(0)
				for i, v := range values {
					want := c.exact(float64(v))
					small := max(c.absolute, tiny)
					if math.Abs(float64(got[i])-want) <= small {
						continue
					}
					if v != 0 && math.Abs(float64(v)) < tiny && float64(got[i]) == c.exact(math.Copysign(0, float64(v))) {
						continue
					}
					if e := unitsApart(got[i], want); e > worst {
						worst, at = e, v
						if e > c.ulp {
							t.Fatalf("%s(%g) = %g, want %g: %.3g ULP", c.name, v, got[i], want, e)
						}
					}
				}
				t.Logf("at most %.2f ULP, at %g", worst, at)
			})
		}
	})
}

// unitsApart is the distance of got from want in units in the last place of want; the largest number is one unit from infinity.
func unitsApart(got float32, want float64) float64 {
	rounded := float32(want)
	switch {
	case got == rounded || got != got && math.IsNaN(want):
		return 0
	case got != got || math.IsNaN(want):
		return math.Inf(1)
	case math.IsInf(float64(got), 0) || math.IsInf(float64(rounded), 0):
		return math.Abs(float64(int64(math.Float32bits(got)) - int64(math.Float32bits(rounded))))
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) / math.Ldexp(1, max(e, -125)-24)
}
