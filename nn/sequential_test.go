package nn_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// perceptron declares a small network of every kind of module that has parameters here.
func perceptron(s nn.Scope) nn.Sequential {
	return nn.Sequential{
		nn.Flatten{},
		nn.NewLinear(s.Index(1), 12, 8, nn.LibraryDefault).Module(),
		nn.NewLayerNorm(s.Index(2), 8, 1e-5),
		nn.Tanh{},
		nn.Sequential{nn.NewMLP(s.Index(4).Index(0), 8, 5, nn.LibraryDefault, nn.LibraryDefault).Module()},
	}
}

func TestSequentialNames(t *testing.T) {
	set := nn.NewSet()
	perceptron(set.Scope())
	var got []string
	for _, p := range set.Params() {
		got = append(got, fmt.Sprint(p.Name, " ", p.Shape))
	}
	want := []string{
		"1.weight [8 12]", "1.bias [8]", "2.weight [8]", "2.bias [8]",
		"4.0.fc1.weight [5 8]", "4.0.fc1.bias [5]", "4.0.fc2.weight [8 5]", "4.0.fc2.bias [8]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A Sequential is the composition of its modules, with and without recording.
func TestSequentialComposes(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	dev.SetPoison(true)
	set := nn.NewSet()
	net := perceptron(set.Scope())
	set.Build(dev, 1, nn.Training)
	tape := autograd.NewTape(dev)
	c := nn.Context{Tape: tape}
	x := tape.Constant(tensor.FromSlice(dev, numbers(24), 2, 3, 4))
	want := x
	for _, m := range net {
		want = m.Forward(c, want)
	}
	for what, y := range map[string]*autograd.Var{"recorded": net.Forward(c, x), "not recorded": quietly(c, net, x)} {
		if diff := cmp.Diff(want.Value().Float32s(), y.Value().Float32s()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if y := (nn.Sequential{}).Forward(c, x); y != x {
		t.Error("an empty Sequential changes its input")
	}
	tape.Reset()

	// Without recording, ten layers hold no more than two do.
	wide := func(n int) int64 {
		l := make(nn.Sequential, n)
		for i := range l {
			l[i] = nn.Tanh{}
		}
		x := tape.Constant(tensor.Zeros(dev, 1<<14))
		before := dev.MemStats().InUse
		quietly(c, l, x)
		held := dev.MemStats().InUse - before
		tape.Reset()
		return held
	}
	if two, ten := wide(2), wide(10); ten != two {
		t.Errorf("ten modules hold %d bytes, two hold %d", ten, two)
	}
}

// quietly applies m without recording.
func quietly(c nn.Context, m nn.Module, x *autograd.Var) (y *autograd.Var) {
	c.Tape.NoGrad(func() { y = m.Forward(c, x) })
	return y
}

// numbers returns n numbers between -2 and 2, apart from 0.
func numbers(n int) []float32 {
	r := tensor.NewRand(7)
	list := make([]float32, n)
	for i := range list {
		list[i] = float32(r.Uniform(0.1, 2) * float64(1-2*(i%2)))
	}
	return list
}

// Activations have the values of their formulas and the gradients of those.
func TestActivations(t *testing.T) {
	dev := tensor.CPU()
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for _, c := range []struct {
		m nn.Module
		f func(x float64) float64
	}{
		{nn.ReLU{}, func(x float64) float64 { return max(x, 0) }},
		{nn.LeakyReLU{Slope: 0.25}, func(x float64) float64 { return max(x, 0.25*x) }},
		{nn.GELU{}, func(x float64) float64 { return x * 0.5 * (1 + math.Erf(x/math.Sqrt2)) }},
		{nn.QuickGELU{}, func(x float64) float64 { return x * sigmoid(1.702*x) }},
		{nn.SiLU{}, func(x float64) float64 { return x * sigmoid(x) }},
		{nn.Sigmoid{}, sigmoid},
		{nn.Tanh{}, math.Tanh},
		{nn.Identity{}, func(x float64) float64 { return x }},
		{nn.Func(func(_ nn.Context, x *autograd.Var) *autograd.Var { return autograd.Affine(x, 3, 1) }),
			func(x float64) float64 { return 3*x + 1 }},
	} {
		t.Run(fmt.Sprintf("%T", c.m), func(t *testing.T) {
			forward := func(in []*autograd.Var) *autograd.Var { return c.m.Forward(nn.Context{Tape: in[0].Tape()}, in[0]) }
			tape := autograd.NewTape(dev)
			defer tape.Reset()
			x := numbers(14)
			in := tensor.FromSlice(dev, x, 2, 7)
			y := forward([]*autograd.Var{tape.Constant(in)})
			if !y.Shape().Equal(in.Shape()) {
				t.Fatalf("shape %v", y.Shape())
			}
			for i, got := range y.Value().Float32s() {
				if want := c.f(float64(x[i])); math.Abs(float64(got)-want) > 1e-6 {
					t.Errorf("of %v: %v, want %v", x[i], got, want)
				}
			}
			if err := autograd.CheckGradients(dev, 1e-3, forward, in); err != nil {
				t.Error(err)
			}
		})
	}
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	p := nn.Softmax{}.Forward(nn.Context{Tape: tape}, tape.Constant(tensor.FromSlice(dev, []float32{0, float32(math.Log(3))}, 1, 2)))
	for i, got := range p.Value().Float32s() {
		if want := []float64{0.25, 0.75}[i]; math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("softmax %d is %v, want %v", i, got, want)
		}
	}
}

func TestFlatten(t *testing.T) {
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	for _, c := range []struct{ shape, want tensor.Shape }{
		{tensor.Shape{2, 3, 4}, tensor.Shape{2, 12}}, {tensor.Shape{5}, tensor.Shape{5, 1}}, {tensor.Shape{0, 3, 4}, tensor.Shape{0, 12}},
	} {
		y := nn.Flatten{}.Forward(nn.Context{Tape: tape}, tape.Constant(tensor.Zeros(dev, c.shape...)))
		if !y.Shape().Equal(c.want) {
			t.Errorf("%v becomes %v, want %v", c.shape, y.Shape(), c.want)
		}
	}
	defer func() {
		if err, ok := recover().(*tensor.ShapeError); !ok || err.Op != "Flatten" {
			t.Errorf("a scalar: %v", err)
		}
	}()
	nn.Flatten{}.Forward(nn.Context{Tape: tape}, tape.Constant(tensor.Zeros(dev)))
}
