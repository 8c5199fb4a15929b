package kernel

import (
	"fmt"
	"math"
	"testing"
)

// forEachFloat hands f, in slices of up to 4096, float32 values from the whole range: every
// step-th bit pattern, the neighbourhood of each power of two, and the points where the
// functions change their formula.
func forEachFloat(step uint64, f func(x []float32)) {
	buf := make([]float32, 0, 4096)
	add := func(bits uint32) {
		buf = append(buf, math.Float32frombits(bits))
		if len(buf) == cap(buf) {
			f(buf)
			buf = buf[:0]
		}
	}
	for b := uint64(0); b < 1<<32; b += step {
		add(uint32(b))
	}
	for exponent := range uint32(512) { // the ninth bit is the sign
		for _, low := range []uint32{0, 1, 2, 0x3504f2, 0x3504f3, 0x3504f4, 0x400000, 0x7ffffe, 0x7fffff} {
			add(exponent<<23 | low)
		}
	}
	for _, x := range []float32{0.625, 1, 4.05, 9.01, 10, 13.2, 14.2, 14.75, 61.7, 88.02, 87.3366, 88.7228, 88.7229, 103.9, 103.97, 103.98, 104, 105} {
		for d := -40; d <= 40; d++ {
			b := uint32(int(math.Float32bits(x)) + d)
			add(b)
			add(b | 1<<31)
		}
	}
	f(buf)
}

// inULP is the distance of got from want in units in the last place of want.
func inULP(got float32, want float64) float64 {
	w := float32(want)
	if float64(got) == want || got == w || (got != got && math.IsNaN(want)) {
		return 0
	}
	if got != got || math.IsNaN(want) || math.IsInf(float64(got), 0) || math.IsInf(float64(w), 0) {
		// Infinity next to the largest number is one step.
		if w == w && got == got && ulpIndex(got)-ulpIndex(w) < 3 && ulpIndex(w)-ulpIndex(got) < 3 {
			return math.Abs(float64(ulpIndex(got) - ulpIndex(w)))
		}
		return math.Inf(1)
	}
	_, e := math.Frexp(want)
	return math.Abs(float64(got)-want) / math.Ldexp(1, max(e, -125)-24)
}

// ulpIndex numbers the float32 values in their order.
func ulpIndex(x float32) int64 {
	b := int64(int32(math.Float32bits(x)))
	if b < 0 {
		return math.MinInt32 - b
	}
	return b
}

func exactGELU(x float64) float64 {
	if math.IsInf(x, -1) {
		return 0
	}
	return x * math.Erfc(-x/math.Sqrt2) / 2
}

func exactGELUGrad(x float64) float64 {
	if math.IsInf(x, 0) {
		return max(0, math.Copysign(1, x))
	}
	return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
}

func exactSigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func exactQuickGELU(x float64) float64 {
	if math.IsInf(x, -1) {
		return 0
	}
	return x * exactSigmoid(1.702*x)
}

func exactQuickGELUGrad(x float64) float64 {
	if math.IsInf(x, 0) {
		return max(0, math.Copysign(1, x))
	}
	s := exactSigmoid(1.702 * x)
	return s + 1.702*x*s*exactSigmoid(-1.702*x)
}

// curves are the functions with a stated bound. An error passes when it is within the bound in
// ULP or within the absolute one.
func curves(v *VecFuncs) []curve {
	grad := func(f func(dx, dy, x []float32)) func(dst, x []float32) {
		ones := make([]float32, 4096)
		for i := range ones {
			ones[i] = 1
		}
		return func(dst, x []float32) { f(dst, ones[:len(x)], x) }
	}
	return []curve{
		{"Exp", v.Exp, math.Exp, 2, 0},
		{"Log", v.Log, math.Log, 2, 0},
		{"Tanh", v.Tanh, math.Tanh, 2, 0},
		{"Sigmoid", v.Sigmoid, exactSigmoid, 3, 0},
		{"Sqrt", v.Sqrt, math.Sqrt, 0.5, 0},
		{"ReLU", v.ReLU, func(x float64) float64 { return max(x, 0) }, 0, 0},
		{"GELU", v.GELU, exactGELU, 7, 0},
		{"GELUGrad", grad(v.GELUGrad), exactGELUGrad, 2, 5e-7},
		{"QuickGELU", v.QuickGELU, exactQuickGELU, 2, 5e-7},
		{"QuickGELUGrad", grad(v.QuickGELUGrad), exactQuickGELUGrad, 2, 5e-7},
	}
}

type curve struct {
	name     string
	f        func(dst, x []float32)
	exact    func(float64) float64
	ulp      float64
	absolute float64
}

func TestVecCurvesWholeRange(t *testing.T) {
	step := uint64(4999)
	if testing.Short() {
		step = 49999
	}
	for _, set := range Levels() {
		for _, c := range curves(&set.Vec) {
			t.Run(fmt.Sprintf("cpu=%s/op=%s", set.Level, c.name), func(t *testing.T) {
				got := make([]float32, 4096)
				worst, worstAbs, at := 0.0, 0.0, float32(0)
				forEachFloat(step, func(x []float32) {
					c.f(got[:len(x)], x)
					for i, v := range x {
						want := c.exact(float64(v))
						ulp := inULP(got[i], want)
						absolute := math.Abs(float64(got[i]) - want)
						if absolute > worstAbs && !math.IsInf(want, 0) && math.Abs(want) < 8 {
							worstAbs = absolute
						}
						if ulp > worst && !(absolute <= c.absolute) {
							worst, at = ulp, v
						}
						if ulp > c.ulp && !(absolute <= c.absolute) {
							t.Fatalf("%s(%g) = %g, want %g: %.3g ULP, %.3g absolute", c.name, v, got[i], want, ulp, absolute)
						}
					}
				})
				t.Logf("largest error %.3f ULP at %g; %.3g absolute where the value is below 8", worst, at, worstAbs)
			})
		}
	}
}
