package tensor

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// NaN wins, the first one; infinities and padding do not confuse the maximum.
func TestMaxPoolOfSpecialValues(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	x := FromSlice(CPU(), []float32{
		-inf, -inf, 1, nan,
		-inf, -inf, nan, inf,
	}, 1, 1, 2, 4)
	y, index := MaxPool(x, SquareWindow(2, 2, 0))
	if got := y.Float32s(); got[0] != -inf || got[1] == got[1] {
		t.Errorf("maxima %v", got)
	}
	if d := cmp.Diff([]int32{0, 3}, index.Ints()); d != "" {
		t.Errorf("places (-want +got):\n%s", d)
	}
	_, index = MaxPool(x, SquareWindow(3, 2, 1)) // windows start outside
	if d := cmp.Diff([]int32{0, 3}, index.Ints()); d != "" {
		t.Errorf("places with padding (-want +got):\n%s", d)
	}
}

// Of equal maxima the first in row-major order gets the gradient, and a cell that wins two windows that of both.
func TestMaxPoolGradOfTies(t *testing.T) {
	x := FromSlice(CPU(), []float32{
		1, 1, 0,
		1, 2, 0,
		0, 0, 0,
	}, 1, 1, 3, 3)
	_, index := MaxPool(x, SquareWindow(2, 1, 0))
	dx := MaxPoolGrad(FromSlice(CPU(), []float32{1, 10, 100, 1000}, 1, 1, 2, 2), index, 3, 3, SquareWindow(2, 1, 0))
	if d := cmp.Diff([]float32{0, 0, 0, 0, 1111, 0, 0, 0, 0}, dx.Float32s()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	same := SquareWindow(2, 2, 0)
	_, index = MaxPool(Full(CPU(), 5, 1, 1, 2, 2), same)
	dx = MaxPoolGrad(Full(CPU(), 7, 1, 1, 1, 1), index, 2, 2, same)
	if d := cmp.Diff([]float32{7, 0, 0, 0}, dx.Float32s()); d != "" {
		t.Errorf("of equal values (-want +got):\n%s", d)
	}
}

func TestMapMisusePanics(t *testing.T) {
	x := Zeros(CPU(), 2, 3, 4, 5)
	up := BilinearTaps(4, 8)
	for want, f := range map[string]func(){
		"tensor: MaxPool: [4 5]: want [B, C, H, W]": func() { MaxPool(Zeros(CPU(), 4, 5), SquareWindow(2, 2, 0)) },
		"tensor: MaxPool: [2 3 4 5] x [5 5] x [1 1] x [0 0]: want a window within the input and its padding, which is at most half the window": func() {
			MaxPool(x, SquareWindow(5, 1, 0))
		},
		"tensor: MaxPool: [2 3 4 5] x [2 2] x [1 1] x [2 2]: want a window within the input and its padding, which is at most half the window": func() {
			MaxPool(x, SquareWindow(2, 1, 2))
		},
		"tensor: MaxPool: [2 3 4 5] x [33554432 2] x [1 1] x [16777216 0]: want a window within the input and its padding, which is at most half the window": func() {
			MaxPool(x, Window{Kernel: [2]int{1 << 25, 2}, Stride: [2]int{1, 1}, Padding: [2]int{1 << 24, 0}})
		},
		"tensor: MaxPoolGrad: index 20 at place 0 is outside [0, 20)": func() {
			MaxPoolGrad(Zeros(CPU(), 1, 1, 1, 1), FromInts(CPU(), []int32{20}, 1, 1, 1, 1), 4, 5, SquareWindow(4, 2, 0))
		},
		"tensor: Resample: [2 3 4 5] x [4 4]: want x [B, C, H, W] and taps from H and W":                                      func() { Resample(x, up, up) },
		"tensor: Resample: rows or cols is nil":                                                                               func() { Resample(x, up, nil) },
		"tensor: BilinearTaps: [0] x [3]: want at least one cell":                                                             func() { BilinearTaps(0, 3) },
		"tensor: AdaptiveTaps: [3] x [0]: want at least one cell":                                                             func() { AdaptiveTaps(3, 0) },
		"tensor: WindowTaps: [2] x [3 1 0]: want a window within the input and its padding, which is at most half the window": func() { WindowTaps(2, 3, 1, 0) },
		"tensor: BatchStats: [0 3]: want at least one value for each channel":                                                 func() { BatchStats(Zeros(CPU(), 0, 3)) },
		"tensor: BatchNorm: [2] x [3]: variance has 2 elements, want 3":                                                       func() { v := Zeros(CPU(), 3); BatchNorm(x, v, Zeros(CPU(), 2), v, v, 0) },
	} {
		if got := recovered(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
