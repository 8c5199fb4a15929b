package autograd

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// panicText runs f and returns the text of its typed panic.
func panicText(f func()) (text string) {
	defer func() {
		switch err := recover().(type) {
		case nil:
			text = "no panic"
		case *tensor.Error, *tensor.ShapeError:
			text = err.(error).Error()
		default:
			text = fmt.Sprintf("not typed: %v", err)
		}
	}()
	f()
	return ""
}

func TestMisusePanics(t *testing.T) {
	dev := tensor.CPU()
	tape, other := NewTape(dev), NewTape(dev)
	defer tape.Reset()
	defer other.Reset()
	x := tape.Leaf(random(dev, 1, -1, 1, 2, 3))
	loss := func() *Var { return Mean(Mean(Mul(x, x), 0), 0) }
	used, unused := loss(), loss()
	tape.Backward(used)
	for want, f := range map[string]func(){
		"tensor: Backward: the output was gone through by an earlier Backward":                             func() { tape.Backward(unused) },
		"tensor: Affine: an input was gone through by an earlier Backward":                                 func() { Affine(used, 2, 0) },
		"tensor: Backward: the output is on another tape":                                                  func() { other.Backward(loss()) },
		"tensor: Backward: called in a NoGrad region":                                                      func() { y := loss(); tape.NoGrad(func() { tape.Backward(y) }) },
		"tensor: Backward: the output depends on nothing that needs a gradient":                            func() { tape.Backward(StopGradient(loss())) },
		"tensor: Backward: [2 3]: the loss has more than one element":                                      func() { tape.Backward(x) },
		"tensor: Add: inputs on two tapes":                                                                 func() { Add(x, other.Constant(x.Value())) },
		"tensor: MatMul: [2 3] x []: want at least one axis":                                               func() { MatMul(x, tape.Constant(tensor.Zeros(dev))) },
		"tensor: MatMul: [2 3] x [2]: inner sizes differ":                                                  func() { MatMul(x, tape.Constant(tensor.Zeros(dev, 2))) },
		"tensor: MatMul: [2 3] x [2 3]: inner sizes differ":                                                func() { MatMul(x, x) },
		"tensor: Param: [2 3] x [3 2]: value and gradient differ in shape":                                 func() { tape.Param(x.Value(), tensor.Zeros(dev, 3, 2)) },
		"tensor: Param: [2 3] x [2 3]: the gradient is a view with gaps":                                   func() { tape.Param(x.Value(), tensor.Zeros(dev, 3, 2).T()) },
		"tensor: StraightThrough: [2 3] x [2]: shapes differ":                                              func() { StraightThrough(x, tensor.Zeros(dev, 2)) },
		"tensor: BackwardFrom: [2 3] x [3 2]: value and gradient differ in shape":                          func() { tape.BackwardFrom(x, tensor.Zeros(dev, 3, 2)) },
		"tensor: Linear: [2 3] x [4 5]: inner sizes differ":                                                func() { Linear(x, tape.Constant(tensor.Zeros(dev, 4, 5)), nil, LinearOptions{}) },
		"tensor: Add: [2 3] x [4]: not broadcastable":                                                      func() { Add(x, tape.Constant(tensor.Zeros(dev, 4))) },
		"tensor: Sum: [2 3]: no axis 2":                                                                    func() { Sum(x, 2) },
		"tensor: Concat: [2 3] x [3]: ranks or dtypes differ":                                              func() { Concat(0, x, tape.Constant(tensor.Zeros(dev, 3))) },
		"tensor: Reshape: [2 3] x [4]: sizes differ":                                                       func() { Reshape(x, 4) },
		"tensor: Permute: [2 3] x [0 0]: want every axis once":                                             func() { Permute(x, 0, 0) },
		"tensor: Attention: [2 3] x [1]: want qkv [B, N, 3·H·D]":                                           func() { Attention(x, nil, 1, 1) },
		"tensor: LayerNorm: [2 3] x [2] x [3]: want w and b of the last axis":                              func() { LayerNorm(x, tape.Constant(tensor.Zeros(dev, 2)), tape.Constant(tensor.Zeros(dev, 3)), 0) },
		"tensor: CrossEntropy: [2 3] x [3]: want one label for each row":                                   func() { CrossEntropy(x, tensor.FromInts(dev, []int32{0, 0, 0}, 3), 0) },
		"tensor: Patchify: [2 3] x [2 2]: want images [B, C, H, W] whose sides are multiples of the patch": func() { Patchify(x, 2) },
	} {
		if got := panicText(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// After a panic in the middle of a forward or a backward pass, Reset returns the memory and the tape works as before.
func TestResetAfterAPanic(t *testing.T) {
	dev := tensor.CPULevel("generic")
	dev.SetPoison(true)
	x, w, dw := random(dev, 1, -1, 1, 8, 32), random(dev, 2, -0.2, 0.2, 32, 32), tensor.Zeros(dev, 32, 32)
	tape := NewTape(dev)
	step := func() []float32 {
		dw.Zero()
		tape.Backward(mlp(tape, tape.Constant(x), w, dw, true))
		tape.Reset()
		return dw.Float32s()
	}
	want := step()
	held := dev.MemStats()
	for name, f := range map[string]func(){
		"forward": func() {
			Add(mlp(tape, tape.Constant(x), w, dw, false), tape.Constant(x).fail())
		},
		"scope": func() {
			tape.Scope(func() *Var { return GELU(Tanh(tape.Constant(x))).fail() })
		},
		"checkpoint forward": func() {
			Checkpoint(tape.Leaf(x), func(v *Var) *Var { return GELU(Tanh(v)).fail() })
		},
		"backward": func() {
			calls := 0
			y := Checkpoint(Tanh(tape.Leaf(x)), func(v *Var) *Var {
				y := Linear(v, tape.Param(w, dw), nil, LinearOptions{GELU: true})
				if calls++; calls == 2 {
					y.fail()
				}
				return y
			})
			tape.BackwardFrom(Linear(y, tape.Param(w, dw), nil, LinearOptions{GELU: true}), x.Clone())
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := panicText(f); got != "not typed: stop" {
				t.Fatal(got)
			}
			tape.Reset()
			if !tape.Recording() {
				t.Error("the tape does not record any more")
			}
			if got := dev.MemStats().InUse; got != held.InUse {
				t.Errorf("%d bytes in use after Reset, were %d", got, held.InUse)
			}
			if diff := cmp.Diff(want, step()); diff != "" {
				t.Error("the next step's gradients differ")
			}
		})
	}
}

// fail stands for an operation that panics after v was made.
func (v *Var) fail() *Var { panic("stop") }

// A Var that an operation takes twice gets both gradients, in whatever order the backend writes them.
func TestRepeatedInputs(t *testing.T) {
	dev := tensor.CPU()
	dev.SetPoison(true)
	defer dev.SetPoison(false)
	square, vector := random(dev, 1, -1, 1, 4, 4), random(dev, 2, -1, 1, 4)
	for name, f := range map[string]func(x *Var) *Var{
		"Linear, x is w":         func(x *Var) *Var { return Linear(x, x, nil, LinearOptions{}) },
		"Linear, all":            func(x *Var) *Var { return Linear(x, x, nil, LinearOptions{Residual: x}) },
		"Linear, bias is gamma":  func(x *Var) *Var { return Linear(x, x.tape.Constant(square), x, LinearOptions{Residual: x, Gamma: x}) },
		"LayerNorm, w is b":      func(x *Var) *Var { return LayerNorm(x, x, x, 1e-6) },
		"MatMul, both":           func(x *Var) *Var { return MatMul(x, x) },
		"Concat, twice":          func(x *Var) *Var { return Concat(0, x, x) },
		"chain of own residuals": func(x *Var) *Var { y := Add(x, x); return Add(Sub(y, x), Reshape(y, y.Shape()...)) },
	} {
		t.Run(name, func(t *testing.T) {
			in := square
			if name == "Linear, bias is gamma" || name == "LayerNorm, w is b" {
				in = vector
			}
			if err := CheckGradients(dev, 2e-3, func(in []*Var) *Var { return f(in[0]) }, in); err != nil {
				t.Error(err)
			}
		})
	}
}

// The second run of a checkpointed segment has the precision of the first.
func TestCheckpointKeepsPrecision(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	tape.Precision = tensor.Medium
	var seen []tensor.Precision
	y := Checkpoint(tape.Leaf(random(dev, 1, -1, 1, 3)), func(v *Var) *Var {
		seen = append(seen, tape.Precision)
		return Tanh(v)
	})
	tape.Precision = tensor.Highest
	tape.BackwardFrom(y, tensor.Zeros(dev, 3))
	if diff := cmp.Diff([]tensor.Precision{tensor.Medium, tensor.Medium}, seen); diff != "" {
		t.Error(diff)
	}
	if tape.Precision != tensor.Highest {
		t.Errorf("the tape's precision is %v after Backward", tape.Precision)
	}
}
