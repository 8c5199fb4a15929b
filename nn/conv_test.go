package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Parameters have PyTorch's names, shapes and default bounds.
func TestConvParameters(t *testing.T) {
	set := nn.NewSet()
	s := set.Scope()
	nn.NewConv2D(s.Sub("grouped"), nn.Conv2DConfig{In: 32, Out: 64, Kernel: 3, Groups: 2})
	nn.NewConv2D(s.Sub("bare"), nn.Conv2DConfig{In: 3, Out: 8, Kernel: 1, NoBias: true, Init: nn.Normal(1e-3, -1, 1)})
	nn.NewConvTranspose2D(s.Sub("up"), nn.Conv2DConfig{In: 64, Out: 32, Kernel: 2, Stride: 2, Groups: 4})
	set.Build(tensor.CPU(), 1, nn.Training)
	bounds := map[string]float64{ // 1/√fanIn
		"grouped.weight": 1 / math.Sqrt(16*9), "grouped.bias": 1 / math.Sqrt(16*9), "up.weight": 1 / math.Sqrt(8*4), "up.bias": 1 / math.Sqrt(8*4),
	}
	var got []string
	for _, p := range set.Params() {
		got = append(got, fmt.Sprint(p.Name, " ", p.Shape, " ", p.Decays()))
		v := p.Value.Float32s()
		most := math.Max(float64(slices.Max(v)), -float64(slices.Min(v)))
		if bound := bounds[p.Name]; bound > 0 && !(most <= bound && most > 0.9*bound) {
			t.Errorf("%s reaches %g, want up to %g", p.Name, most, bound)
		} else if bound == 0 && most > 0.01 {
			t.Errorf("%s reaches %g with an Init of its own", p.Name, most)
		}
	}
	want := []string{
		"grouped.weight [64 16 3 3] true", "grouped.bias [64] false", "bare.weight [8 3 1 1] true",
		"up.weight [64 8 2 2] true", "up.bias [32] false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Layers pass their settings on: what they give is what the operation gives.
func TestConvLayers(t *testing.T) {
	set := nn.NewSet()
	down := nn.NewConv2D(set.Scope().Sub("down"), nn.Conv2DConfig{In: 4, Out: 6, Kernel: 3, Stride: 2, Padding: 2, Dilation: 2, Groups: 2})
	up := nn.NewConvTranspose2D(set.Scope().Sub("up"), nn.Conv2DConfig{In: 6, Out: 2, Kernel: 2, Stride: 2, NoBias: true})
	dev := tensor.CPU()
	set.Build(dev, 1, nn.Training)
	r := tensor.NewRand(2)
	x := make([]float32, 2*4*9*11)
	for i := range x {
		x[i] = float32(r.Norm())
	}
	images := tensor.FromSlice(dev, x, 2, 4, 9, 11)
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	ctx := nn.Context{Tape: tape}
	mid := down.Forward(ctx, tape.Constant(images))
	y := up.Forward(ctx, mid)
	want := tensor.Conv2D(tensor.Conv2DArgs{X: images, W: down.W.Value, Bias: down.B.Value, ConvOptions: tensor.ConvOptions{
		Stride: [2]int{2, 2}, Padding: [2]int{2, 2}, Dilation: [2]int{2, 2}, Groups: 2,
	}})
	if diff := cmp.Diff(want.Float32s(), mid.Value().Float32s()); diff != "" {
		t.Error(diff)
	}
	want = tensor.ConvTranspose2D(tensor.Conv2DArgs{X: mid.Value(), W: up.W.Value, ConvOptions: tensor.ConvOptions{Stride: [2]int{2, 2}}})
	if diff := cmp.Diff(want.Float32s(), y.Value().Float32s()); diff != "" || !y.Shape().Equal(tensor.Shape{2, 2, 10, 12}) {
		t.Errorf("shape %v, %s", y.Shape(), diff)
	}
	tape.Backward(autograd.Mean(autograd.Reshape(autograd.Mul(y, y), -1), 0))
	for _, p := range set.Params() {
		if slices.Max(p.Grad.Float32s()) == 0 {
			t.Errorf("%s has no gradient", p.Name)
		}
	}
}
