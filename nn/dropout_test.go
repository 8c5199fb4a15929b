package nn

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// What is dropped follows from seed, step, micro-batch and name, and from nothing else.
func TestDropout(t *testing.T) {
	s := NewSet().Scope()
	a, b := NewDropout(s.Sub("a"), 0.25), NewDropout(s.Sub("b"), 0.25)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	const n = 10000
	x := tape.Own(tensor.Full(tensor.CPU(), 3, 10, n/10))
	ctx := Context{Tape: tape, Train: true, Seed: 1, Step: 2, Micro: 3}
	run := func(d *Dropout, c Context) []float32 { return d.Forward(c, x).Value().Float32s() }
	first, dropped := run(a, ctx), 0
	for i, v := range first {
		switch v {
		case 0:
			dropped++
		case 4:
		default:
			t.Fatalf("element %d is %v", i, v)
		}
	}
	if dropped < n/4-200 || dropped > n/4+200 { // more than four standard deviations
		t.Errorf("%d of %d elements were dropped", dropped, n)
	}
	if !cmp.Equal(first, run(a, ctx)) {
		t.Error("a second pass drops others")
	}
	otherStep, otherMicro, otherSeed := ctx, ctx, ctx
	otherStep.Step, otherMicro.Micro, otherSeed.Seed = 0, 0, 0
	for what, other := range map[string][]float32{
		"layer": run(b, ctx), "step": run(a, otherStep), "micro-batch": run(a, otherMicro), "seed": run(a, otherSeed),
	} {
		if cmp.Equal(first, other) {
			t.Errorf("another %s drops the same", what)
		}
	}
	if a.Forward(Context{Tape: tape}, x) != x {
		t.Error("something is dropped in evaluation")
	}
	if a.Rate = 0; a.Forward(ctx, x) != x {
		t.Error("something is dropped at rate 0")
	}
}

// Channels are dropped whole.
func TestDropout2d(t *testing.T) {
	d := NewDropout2d(NewSet().Scope(), 0.5)
	tape := autograd.NewTape(tensor.CPU())
	defer tape.Reset()
	y := d.Forward(Context{Tape: tape, Train: true}, tape.Own(tensor.Full(tensor.CPU(), 1, 4, 50, 2, 3))).Value().Float32s()
	dropped := 0
	for c := range 200 {
		for _, v := range y[6*c : 6*c+6] {
			if v != y[6*c] || v != 0 && v != 2 {
				t.Fatalf("channel %d is %v", c, y[6*c:6*c+6])
			}
		}
		if y[6*c] == 0 {
			dropped++
		}
	}
	if dropped < 70 || dropped > 130 {
		t.Errorf("%d of 200 channels were dropped", dropped)
	}
}

// A pass that runs again for its gradient drops the same: the gradient has the bytes of one that ran once.
func TestDropoutUnderCheckpoint(t *testing.T) {
	d := NewDropout(NewSet().Scope(), 0.5)
	var grads [2][]float32
	for i, checkpoint := range []bool{false, true} {
		tape := autograd.NewTape(tensor.CPU())
		ctx := Context{Tape: tape, Train: true, Seed: 9}
		x := tape.Leaf(tensor.FromSlice(tensor.CPU(), uniforms(3, 1, 2, 100), 100))
		f := func(x *autograd.Var) *autograd.Var { y := d.Forward(ctx, x); return autograd.Mul(y, y) }
		var y *autograd.Var
		if checkpoint {
			y = autograd.Checkpoint(x, f)
		} else {
			y = f(x)
		}
		tape.Backward(autograd.Sum(y, 0))
		grads[i] = x.Grad().Float32s()
		tape.Reset()
	}
	if d := cmp.Diff(grads[0], grads[1]); d != "" {
		t.Errorf("gradients differ:\n%s", d)
	}
}

func TestDropoutScopes(t *testing.T) {
	s := NewSet().Scope()
	NewDropout(s.Index(1), 0.5)
	if got := errorOf(func() { NewDropout2d(s.Index(1), 0.5) }); got != "tensor: Scope: Dropout2d: another layer of scope 1. draws random numbers" {
		t.Error(got)
	}
	if got := errorOf(func() { NewDropout(Scope{}, 0.5) }); got != "tensor: Scope: Dropout is declared in a Scope{}: use Set.Scope" {
		t.Error(got)
	}
	if got := errorOf(func() { NewDropout(s, 0.5).Forward(Context{}, nil) }); got != "tensor: Dropout: x is nil" {
		t.Error(got)
	}
}
