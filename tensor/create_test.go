package tensor

import (
	"math"
	"slices"
	"testing"
)

func TestArangeAndLinspace(t *testing.T) {
	dev, most := CPU(), math.MaxInt32
	if got, want := Arange(dev, -2, 3).Ints(), []int32{-2, -1, 0, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("Arange: %v, want %v", got, want)
	}
	for n, want := range map[int][]float32{0: {}, 1: {-2}, 2: {-2, 3}, 5: {-2, -0.75, 0.5, 1.75, 3}} {
		if got := Linspace(dev, -2, 3, n).Float32s(); !slices.Equal(got, want) {
			t.Errorf("Linspace of %d: %v, want %v", n, got, want)
		}
	}
	if got := Linspace(dev, 0.1, 0.7, 1000).Float32s(); got[0] != 0.1 || got[999] != 0.7 || !slices.IsSorted(got) {
		t.Error("Linspace misses its ends, or goes back")
	}
	for want, f := range map[string]func(){
		"tensor: Arange: from 3 to 2":                                     func() { Arange(dev, 3, 2) },
		"tensor: Arange: from 0 to 2147483649":                            func() { Arange(dev, 0, most+2) },
		"tensor: OneHot: [2]: dtype is float32, want int32":               func() { OneHot(Zeros(dev, 2), 3) },
		"tensor: OneHot: [2]: -1 classes":                                 func() { OneHot(NewOf(dev, Int32, 2), -1) },
		"tensor: RandNormal: [2]: the generator is nil":                   func() { RandNormal(dev, nil, 2) },
		"tensor: Cast: [2]: int32 to bfloat16":                            func() { Cast(NewOf(dev, Int32, 2), BFloat16) },
		"tensor: Div: [2] x [2]: there is none of int32: cast to float32": func() { x := NewOf(dev, Int32, 2); Div(x, x) },
	} {
		if got := recovered(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Random tensors hold the numbers of their generator in order, and have the moments of their distribution.
func TestRandomTensors(t *testing.T) {
	const n = 20000
	r, normal := NewRand(4, 5), RandNormal(CPU(), NewRand(4, 5), 100, n/100).Float32s()
	uniform := RandUniform(CPU(), NewRand(4, 6), -1, 3, n).Float32s()
	for i, got := range normal[:10] {
		if want := float32(r.Norm()); got != want {
			t.Errorf("element %d is %g, want %g", i, got, want)
		}
	}
	for name, c := range map[string]struct {
		x         []float32
		mean, std float64
	}{"normal": {normal, 0, 1}, "uniform": {uniform, 1, 4 / math.Sqrt(12)}} {
		sum, squares := 0.0, 0.0
		for _, v := range c.x {
			sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		}
		mean := sum / n
		std := math.Sqrt(squares/n - mean*mean)
		if math.Abs(mean-c.mean) > 0.04 || math.Abs(std-c.std) > 0.04 { // five standard errors
			t.Errorf("%s: mean %g and deviation %g, want %g and %g", name, mean, std, c.mean, c.std)
		}
	}
	if lo, hi := slices.Min(uniform), slices.Max(uniform); lo < -1 || hi > 3 {
		t.Errorf("uniform from %g to %g", lo, hi)
	}
}
