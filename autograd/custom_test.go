package autograd

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// customForward and customGrads are the two functions of Custom.
type (
	customForward = func(in []*tensor.Tensor) *tensor.Tensor
	customGrads   = func(dy *tensor.Tensor, in []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor
)

// Functions of Custom may return what is not theirs: views of inputs, the upstream gradient, one tensor for two inputs, a view with gaps.
// Gradients are right, nothing is released twice, and a step leaves no memory behind.
func TestCustomReturnsViews(t *testing.T) {
	dev := tensor.CPULevel("generic") // a pool of its own
	dev.SetPoison(true)
	list := func(ts ...*tensor.Tensor) []*tensor.Tensor { return ts }
	sum := func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Add(in[0], in[1]) }
	square := []*tensor.Tensor{random(dev, 1, -1, 1, 3, 3), random(dev, 2, -1, 1, 3, 3)}
	for name, c := range map[string]struct {
		in       []*tensor.Tensor
		forward  customForward
		backward customGrads
	}{
		"dy for both inputs": {square, sum, func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
			return list(dy, dy)
		}},
		"one new tensor for both": {square, sum, func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
			g := dy.Clone()
			return list(g, g)
		}},
		"a view of dy": {square[:1], func(in []*tensor.Tensor) *tensor.Tensor { return in[0].Reshape(9) },
			func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
				return list(dy.Reshape(3, 3))
			}},
		"the input": {square[:1], func(in []*tensor.Tensor) *tensor.Tensor { return in[0] },
			func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor { return list(dy) }},
		"a new view with gaps": {square[:1], func(in []*tensor.Tensor) *tensor.Tensor { return in[0].T().Clone() },
			func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
				return list(dy.Clone().T())
			}},
	} {
		t.Run(name, func(t *testing.T) {
			f := func(in []*Var) *Var { return Custom(in, c.forward, c.backward) }
			if err := CheckGradients(dev, 1e-3, f, c.in...); err != nil {
				t.Error(err)
			}
			before := dev.MemStats().InUse
			for _, keep := range []bool{false, true} {
				tape := NewTape(dev)
				x := Affine(tape.Leaf(square[0]), 1, 0) // an intermediate value, so that its memory is the tape's
				in := []*Var{x, x}[:len(c.in)]
				y := f(in)
				if keep {
					y.Keep()
				}
				tape.Backward(Sum(Reshape(Add(y, y), -1), 0))
				tape.Reset()
			}
			if got := dev.MemStats().InUse; got != before {
				t.Errorf("%d bytes in use after the steps, were %d", got, before)
			}
		})
	}
}

// The result of an exponential is its own gradient where the upstream gradient is 1. As a gradient it is added to, but it keeps its value.
func TestCustomGradientIsTheResult(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(tensor.Full(dev, 1, 2))
	y := Custom([]*Var{x},
		func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Exp(in[0]) },
		func(_ *tensor.Tensor, _ []*tensor.Tensor, y *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{y}
		}).Keep()
	tape.Backward(Sum(Add(y, Affine(x, 4, 0)), 0))
	for i, g := range x.Grad().Float32s() {
		if v := y.Value().Float32s()[i]; math.Abs(float64(v)-math.E) > 1e-6 || g != 4+v {
			t.Errorf("gradient %v, value %v", g, v)
		}
	}
}

// An input whose gradient is nil gets none from the operation.
func TestCustomWithoutAGradient(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	a, b := tape.Leaf(tensor.Full(dev, 2, 2)), tape.Leaf(tensor.Full(dev, 5, 2))
	y := Custom([]*Var{a, b},
		func(in []*tensor.Tensor) *tensor.Tensor { return tensor.Mul(in[0], in[1]) },
		func(dy *tensor.Tensor, in []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
			return []*tensor.Tensor{tensor.Mul(dy, in[1]), nil}
		})
	tape.BackwardFrom(y, tensor.Full(dev, 1, 2))
	if diff := cmp.Diff([]float32{5, 5}, a.Grad().Float32s()); diff != "" || b.Grad() != nil {
		t.Errorf("gradients %v and %v", a.Grad(), b.Grad())
	}
}

// A checkpoint runs forward again, in a region without recording it is not recorded, and the bytes are the same.
func TestCustomInACheckpoint(t *testing.T) {
	dev := tensor.CPULevel("generic")
	dev.SetPoison(true)
	square := func(x *Var) *Var {
		var double *tensor.Tensor
		return Custom([]*Var{x},
			func(in []*tensor.Tensor) *tensor.Tensor {
				double = x.Tape().Own(tensor.Affine(in[0], 2, 0)).Value()
				return tensor.Mul(in[0], in[0])
			},
			func(dy *tensor.Tensor, _ []*tensor.Tensor, _ *tensor.Tensor) []*tensor.Tensor {
				return []*tensor.Tensor{tensor.Mul(dy, double)}
			})
	}
	start := random(dev, 1, -1, 1, 5)
	var grads [2][]float32
	for i := range grads {
		tape := NewTape(dev)
		x := tape.Leaf(start)
		y := square(x)
		if i == 1 {
			y = Checkpoint(x, square)
		}
		tape.BackwardFrom(y, tensor.Full(dev, 3, 5))
		grads[i] = x.Grad().Float32s()
		tape.Reset()
	}
	if diff := cmp.Diff(grads[0], grads[1]); diff != "" {
		t.Error(diff)
	}
}

func TestCustomMisuse(t *testing.T) {
	dev, other := tensor.CPU(), tensor.CPULevel("generic")
	tape := NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(tensor.Zeros(dev, 2, 3))
	one := []*Var{x}
	gives := func(y *tensor.Tensor) customForward { return func([]*tensor.Tensor) *tensor.Tensor { return y } }
	grads := func(list ...*tensor.Tensor) customGrads {
		return func(*tensor.Tensor, []*tensor.Tensor, *tensor.Tensor) []*tensor.Tensor { return list }
	}
	back := func(list ...*tensor.Tensor) func() {
		return func() {
			tape.BackwardFrom(Custom(one, func(in []*tensor.Tensor) *tensor.Tensor { return in[0].Clone() }, grads(list...)), tensor.Zeros(dev, 2, 3))
		}
	}
	for want, f := range map[string]func(){
		"tensor: Custom: there are no inputs":                                     func() { Custom(nil, gives(nil), grads()) },
		"tensor: Custom: an input is nil":                                         func() { Custom([]*Var{x, nil}, gives(nil), grads()) },
		"tensor: Custom: forward is nil":                                          func() { Custom(one, nil, grads()) },
		"tensor: Custom: backward is nil":                                         func() { Custom(one, gives(x.Value()), nil) },
		"tensor: Custom: the result of forward is nil":                            func() { Custom(one, gives(nil), grads()) },
		"tensor: Custom: [2]: dtype is int32, want float32":                       func() { Custom(one, gives(tensor.FromInts(dev, []int32{1, 2}, 2)), grads()) },
		"tensor: Custom: the result of forward is on another device":              func() { Custom(one, gives(tensor.Zeros(other, 2)), grads()) },
		"tensor: Custom: backward returned 0 gradients for 1 inputs":              back(),
		"tensor: Custom: [3 2] x [2 3]: gradient 0 and its input differ in shape": back(tensor.Zeros(dev, 3, 2)),
		"tensor: Custom: gradient 0 is on another device":                         back(tensor.Zeros(other, 2, 3)),
		"tensor: Custom: [1]: dtype is int32, want float32":                       back(tensor.FromInts(dev, []int32{1}, 1)),
		"tensor: CheckGradients: an input is nil":                                 func() { _ = CheckGradients(dev, 1, func(in []*Var) *Var { return in[0] }, nil) },
		"tensor: CheckGradients: [1]: dtype is int32, want float32": func() {
			_ = CheckGradients(dev, 1, func(in []*Var) *Var { return in[0] }, tensor.FromInts(dev, []int32{1}, 1))
		},
	} {
		if got := panicText(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	constant := func(in []*Var) *Var { return StopGradient(in[0]) }
	if err := CheckGradients(dev, 1, constant, tensor.Zeros(dev, 1)); err == nil || err.Error() != "the result depends on no input" {
		t.Errorf("a result without gradients: %v", err)
	}
}
