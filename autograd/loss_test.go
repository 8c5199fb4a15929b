package autograd

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Losses of elements and of classes, each by its definition in float64, at every reduction.
func TestLossesByTheirDefinition(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	const b, c, n = 2, 3, 35
	logits, target := random(dev, 1, -4, 4, b, c, 5, 7), random(dev, 2, 0, 1, b, c, 5, 7)
	p := tensor.Sigmoid(logits)
	elementwise := func(x *tensor.Tensor, f func(x, t float64) float64) []float64 {
		y, ts := make([]float64, b*c*n), target.Float32s()
		for i, v := range x.Float32s() {
			y[i] = f(float64(v), float64(ts[i]))
		}
		return y
	}
	dice := make([]float64, b*c)
	for row := range dice {
		both, sum := 0.0, 0.0
		for i := row * n; i < (row+1)*n; i++ {
			x, y := float64(p.Float32s()[i]), float64(target.Float32s()[i])
			both, sum = both+x*y, sum+x+y
		}
		dice[row] = 1 - (2*both+0.5)/(sum+0.5)
	}
	for name, l := range map[string]struct {
		of   func(r Reduction) *Var
		want []float64
	}{
		"BCEWithLogits": {
			func(r Reduction) *Var { return BCEWithLogits(tape.Constant(logits), target, r) },
			elementwise(logits, func(x, t float64) float64 {
				s := 1 / (1 + math.Exp(-x))
				return -t*math.Log(s) - (1-t)*math.Log(1-s)
			}),
		},
		"L1Loss": {
			func(r Reduction) *Var { return L1Loss(tape.Constant(p), target, r) },
			elementwise(p, func(x, t float64) float64 { return math.Abs(x - t) }),
		},
		"HuberLoss": {
			func(r Reduction) *Var { return HuberLoss(tape.Constant(p), target, 0.3, r) },
			elementwise(p, func(x, t float64) float64 {
				if d := math.Abs(x - t); d > 0.3 {
					return 0.3 * (d - 0.15)
				}
				return (x - t) * (x - t) / 2
			}),
		},
		"DiceLoss": {func(r Reduction) *Var { return DiceLoss(tape.Constant(p), target, 0.5, r) }, dice},
	} {
		sum := 0.0
		for _, v := range l.want {
			sum += v
		}
		for r, want := range map[Reduction][]float64{
			ReductionMean: {sum / float64(len(l.want))}, ReductionSum: {sum}, ReductionNone: l.want,
		} {
			got := l.of(r).Value().Float32s()
			if len(got) != len(want) {
				t.Errorf("%s, reduction %d: %d elements, want %d", name, r, len(got), len(want))
				continue
			}
			for i, w := range want {
				if math.Abs(float64(got[i])-w) > 1e-5*(1+math.Abs(w)) {
					t.Errorf("%s, reduction %d: element %d is %g, want %g", name, r, i, got[i], w)
				}
			}
		}
	}
}

// A class that is nowhere and not predicted has no Dice loss, and a loss of nothing is 0.
func TestLossesAtTheirEdges(t *testing.T) {
	dev := tensor.CPU()
	tape := NewTape(dev)
	defer tape.Reset()
	zeros, ones := tensor.Zeros(dev, 1, 1, 4), tensor.Full(dev, 1, 1, 1, 4)
	none := tensor.Zeros(dev, 0, 3)
	for name, c := range map[string]struct {
		loss *Var
		want float32
	}{
		"class that is nowhere": {DiceLoss(tape.Constant(zeros), zeros, 1e-5, ReductionMean), 0},
		"all found":             {DiceLoss(tape.Constant(ones), ones, 1e-5, ReductionMean), 0},
		"mean of nothing":       {L1Loss(tape.Constant(none), none, ReductionMean), 0},
		"sum of nothing":        {L1Loss(tape.Constant(none), none, ReductionSum), 0},
	} {
		if got := c.loss.Value().Item(); got != c.want {
			t.Errorf("%s: %g, want %g", name, got, c.want)
		}
	}
	if got := DiceLoss(tape.Constant(zeros), ones, 1e-5, ReductionMean).Value().Item(); got < 0.9999 {
		t.Errorf("nothing found: %g", got)
	}
	x := tape.Leaf(none)
	tape.Backward(BCEWithLogits(x, none, ReductionMean))
	if x.Grad() == nil || x.Grad().Size() != 0 {
		t.Error("the gradient of nothing")
	}
	for want, f := range map[string]func(){
		"tensor: HuberLoss: [1 1 4]: delta is 0, want more than 0":      func() { HuberLoss(x.tape.Constant(ones), ones, 0, ReductionMean) },
		"tensor: L1Loss: [1 1 4]: no reduction 3":                       func() { L1Loss(tape.Constant(ones), ones, 3) },
		"tensor: DiceLoss: [1 1 4]: smooth is 0, want more than 0":      func() { DiceLoss(tape.Constant(ones), ones, 0, ReductionMean) },
		"tensor: DiceLoss: [4] x [1 1 4]: shapes differ":                func() { DiceLoss(tape.Constant(ones.Reshape(4)), ones, 1, ReductionMean) },
		"tensor: DiceLoss: [0 3]: want p [B, C, ..] with elements":      func() { DiceLoss(tape.Constant(none), none, 1, ReductionMean) },
		"tensor: BCEWithLogits: target is nil":                          func() { BCEWithLogits(tape.Constant(ones), nil, ReductionMean) },
		"tensor: BCEWithLogits: [1 1 4] x [0 3]: shapes differ":         func() { BCEWithLogits(tape.Constant(ones), none, ReductionMean) },
		"tensor: TopK: [1 1 4]: 5 of 4 elements":                        func() { TopK(tape.Constant(ones), 5) },
		"tensor: Pad: [1 1 4]: 1 pairs of pads, want one for each axis": func() { Pad(tape.Constant(ones), 0, [2]int{1, 1}) },
		"tensor: Pad: [1 1 4]: pads [0 -1] on axis 1":                   func() { Pad(tape.Constant(ones), 0, [2]int{}, [2]int{0, -1}, [2]int{}) },
		"tensor: Stack: [1 1 4]: no new axis 4":                         func() { Stack(4, tape.Constant(ones)) },
		"tensor: Stack: [1 1 4] x [0 3]: shapes differ":                 func() { Stack(0, tape.Constant(ones), tape.Constant(none)) },
	} {
		if got := panicText(f); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
