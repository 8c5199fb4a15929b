package autograd

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// Gradients of attention and MLP with their inner values forgotten or kept, and how much memory the forward pass left in use.
func forgetful(dev *tensor.Device, p tensor.Precision, forget bool) (grads [][]float32, used int64) {
	const b, n, d = 2, 5, 8
	tape := NewTape(dev)
	tape.Precision = p
	var params []*Var
	param := func(shape ...int) *Var {
		v := random(dev, uint64(len(params)), -0.5, 0.5, shape...)
		params = append(params, tape.Param(v, tensor.Zeros(dev, shape...)))
		return params[len(params)-1]
	}
	x := tape.Leaf(random(dev, 99, -1, 1, b, n, d))
	w, shift := param(d), param(d)
	wqkv, wproj, w1, b1, w2, gamma := param(3*d, d), param(d, d), param(4*d, d), param(4*d), param(d, 4*d), param(d)
	before := dev.MemStats().InUse

	normed := LayerNorm(x, w, shift, 1e-6)
	qkv := Linear(normed, wqkv, nil, LinearOptions{})
	mixed := Attention(qkv, nil, 2, 0.5)
	y := Linear(mixed, wproj, nil, LinearOptions{Residual: x})
	hidden := Linear(y, w1, b1, LinearOptions{GELU: true})
	out := Linear(hidden, w2, nil, LinearOptions{Residual: y, Gamma: gamma})
	if forget {
		for _, v := range []*Var{normed, qkv, mixed, hidden, x, w, hidden} { // of a leaf and a parameter, and a second time: nothing happens
			v.Rematerialize()
		}
	}
	used = dev.MemStats().InUse - before
	tape.BackwardFrom(out, random(dev, 100, -1, 1, b, n, d))
	for _, v := range append(params, x) {
		grads = append(grads, v.Grad().Float32s())
	}
	tape.Reset()
	for _, v := range append(params, x) {
		v.value.Release()
		if v.param {
			v.grad.Release()
		}
	}
	return grads, used
}

// A forgotten value comes back for whatever was computed from it.
func TestRematerializeBeforeAnyUse(t *testing.T) {
	dev := tensor.CPU()
	labels := tensor.FromInts(dev, []int32{1, 0, 3}, 3)
	for name, use := range map[string]func(h, w, b *Var) *Var{
		"LayerNorm":    func(h, w, b *Var) *Var { return Sum(Sum(LayerNorm(h, w, b, 1e-6), 0), 0) },
		"CrossEntropy": func(h, _, _ *Var) *Var { return CrossEntropy(h, labels, 0) },
	} {
		var grads [2][]float32
		for i := range grads {
			tape := NewTape(dev)
			x := tape.Leaf(random(dev, 1, -1, 1, 3, 4))
			w, b := tape.Constant(random(dev, 2, 0.5, 1, 4)), tape.Constant(random(dev, 3, -1, 1, 4))
			h := Linear(x, tape.Constant(random(dev, 4, -1, 1, 4, 4)), nil, LinearOptions{GELU: true})
			y := use(h, w, b)
			if i == 1 {
				h.Rematerialize()
			}
			tape.Backward(y)
			grads[i] = x.Grad().Float32s()
			tape.Reset()
		}
		if diff := cmp.Diff(grads[0], grads[1]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestRematerializeGivesEqualGradientsInLessMemory(t *testing.T) {
	for _, test := range []struct {
		precision tensor.Precision
		most      float64 // relative difference of a gradient's elements to its largest
		memory    float64 // share left
	}{{tensor.Highest, 0, 0.75}, {tensor.Medium, 0.01, 0.57}} {
		if !tensor.CPU().Supports("MatMul", test.precision) { // then Medium is Highest, in all respects
			test.most, test.memory = 0, 0.75
		}
		t.Run(fmt.Sprint(test.precision), func(t *testing.T) {
			dev := tensor.NewDevice(tensor.CPU().Backend())
			dev.SetPoison(true)
			want, all := forgetful(dev, test.precision, false)
			clean := dev.MemStats().InUse
			got, left := forgetful(dev, test.precision, true)
			if float64(left) > test.memory*float64(all) {
				t.Errorf("%d bytes left of %d", left, all)
			}
			if now := dev.MemStats().InUse; now != clean || now != 0 {
				t.Errorf("%d and then %d bytes in use after Reset", clean, now)
			}
			for i := range want {
				largest := 0.0
				for _, v := range want[i] {
					largest = max(largest, math.Abs(float64(v)))
				}
				for j := range want[i] {
					if diff := math.Abs(float64(got[i][j] - want[i][j])); !(diff <= test.most*largest) {
						t.Fatalf("gradient %d, element %d: %g, want %g", i, j, got[i][j], want[i][j])
					}
				}
			}
		})
	}
}

// Whatever is forgotten, gradients can be computed: a bias and a gamma come back too, and outputs that their own gradients read stay exact.
func TestRematerializeEverything(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend())
	dev.SetPoison(true)
	for _, p := range []tensor.Precision{tensor.Highest, tensor.Medium} {
		var grads [2][]float32
		for i := range grads {
			tape := NewTape(dev)
			tape.Precision = p
			x := tape.Leaf(random(dev, 1, -1, 1, 2, 4, 12))
			scale, w := tape.Leaf(random(dev, 2, -1, 1, 4)), tape.Constant(random(dev, 3, -1, 1, 4, 4))
			gamma := Affine(scale, 0.5, 1)
			tanh, weights := Tanh(x), Softmax(Reshape(scale, 1, 4))
			bias := Expand(weights, 1, 4, 4)
			mixed := Attention(tanh, bias, 1, 0.5)
			unit := L2Normalize(mixed)
			normed := LayerNorm(unit, gamma, scale, 1e-6)
			y := Linear(normed, w, gamma, LinearOptions{Residual: unit, Gamma: gamma})
			if i == 1 {
				for _, v := range []*Var{gamma, tanh, weights, bias, mixed, unit, normed} {
					v.Rematerialize()
				}
			}
			tape.BackwardFrom(y, random(dev, 4, -1, 1, 2, 4, 4))
			grads[i] = append(x.Grad().Float32s(), scale.Grad().Float32s()...)
			tape.Reset()
		}
		for j, want := range grads[0] {
			if diff := math.Abs(float64(grads[1][j] - want)); !(diff <= 0.05*(1+math.Abs(float64(want)))) || p == tensor.Highest && diff != 0 {
				t.Errorf("%v: element %d is %g, want %g", p, j, grads[1][j], want)
			}
		}
	}
}

// What nobody can bring back stays.
func TestRematerializeKeepsWhatItCannotCompute(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	w := tape.Param(random(dev, 1, -1, 1, 3, 3), tensor.Zeros(dev, 3, 3))
	x := tape.Constant(random(dev, 2, -1, 1, 2, 3))
	kept := LayerNorm(x, tape.Param(tensor.Full(dev, 1, 3), tensor.Zeros(dev, 3)), tape.Param(tensor.Zeros(dev, 3), tensor.Zeros(dev, 3)), 1e-6).Keep()
	product := Linear(x, w, nil, LinearOptions{}) // not at Highest
	var silent *Var
	tape.NoGrad(func() { silent = Linear(x, w, nil, LinearOptions{GELU: true}) })
	for _, v := range []*Var{kept, product, silent} {
		before := fmt.Sprint(v.Value())
		v.Rematerialize()
		if after := fmt.Sprint(v.Value()); after != before {
			t.Errorf("%s, before %s", after, before)
		}
	}
	hidden := Linear(x, w, nil, LinearOptions{GELU: true})
	hidden.Rematerialize()
	defer func() {
		if recover() == nil {
			t.Error("an operation on a forgotten value does not panic")
		}
	}()
	Linear(hidden, w, nil, LinearOptions{})
}

// A value that is kept after it was rematerialized is there after Backward.
func TestRematerializedAndKept(t *testing.T) {
	dev := tensor.NewDevice(tensor.CPU().Backend())
	dev.SetPoison(true)
	tape := NewTape(dev)
	tape.Precision = tensor.Medium
	qkv := Add(tape.Leaf(random(dev, 1, -1, 1, 2, 4, 12)), tape.Constant(random(dev, 2, -1, 1, 2, 4, 12)))
	want := qkv.Value().Float32s()
	y := Attention(qkv, nil, 1, 0.5)
	qkv.Rematerialize()
	qkv.Keep()
	tape.BackwardFrom(y, random(dev, 3, -1, 1, 2, 4, 4))
	for i, got := range qkv.Value().Float32s() {
		if diff := math.Abs(float64(got - want[i])); !(diff <= 0.01) {
			t.Errorf("element %d is %g, want %g", i, got, want[i])
		}
	}
	tape.Reset()
}
