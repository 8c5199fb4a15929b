package nn_test

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/nn/optim"
	"github.com/gobeit/gobeit/tensor"
)

// points is how many points each of the two spirals has.
const points = 100

// spirals returns the points of two spirals that wind around each other, and which one each point lies on.
func spirals() (xy []float32, label []int32) {
	for i := range 2 * points {
		which := i % 2
		t := float64(i/2) / points
		angle := 3*math.Pi*t + math.Pi*float64(which)
		r := 0.2 + t
		xy = append(xy, float32(r*math.Cos(angle)), float32(r*math.Sin(angle)))
		label = append(label, int32(which))
	}
	return xy, label
}

// network is a multilayer perceptron with two hidden layers.
type network struct {
	in, hidden, out *nn.Linear
}

func newNetwork(s nn.Scope, width int) *network {
	return &network{
		in:     nn.NewLinear(s.Sub("in"), 2, width, nn.LibraryDefault),
		hidden: nn.NewLinear(s.Sub("hidden"), width, width, nn.LibraryDefault),
		out:    nn.NewLinear(s.Sub("out"), width, 2, nn.LibraryDefault),
	}
}

// logits returns the scores of both spirals, [M, 2], for points x [M, 2].
func (n *network) logits(c nn.Context, x *autograd.Var) *autograd.Var {
	h := autograd.GELU(n.in.Forward(c, x, autograd.LinearOptions{}))
	h = autograd.GELU(n.hidden.Forward(c, h, autograd.LinearOptions{}))
	return n.out.Forward(c, h, autograd.LinearOptions{})
}

// Example_spirals trains a small network to tell two spirals apart: a declaration of parameters, a training loop with AdamW and a schedule,
// and an evaluation without gradients.
func Example_spirals() {
	const steps = 400
	dev := tensor.CPU()
	xy, label := spirals()
	x, y := tensor.FromSlice(dev, xy, 2*points, 2), tensor.FromInts(dev, label, 2*points)

	set := nn.NewSet()
	net := newNetwork(set.Scope(), 32)
	set.Build(dev, 1, nn.Training) // initial values depend on the seed and the names alone
	opt := optim.NewAdamW(set, optim.AdamWConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Clip: 1})
	schedule := optim.Cosine{Peak: 0.02, Min: 1e-4, Warmup: 20, Total: steps}

	tape := autograd.NewTape(dev)
	c := nn.Context{Tape: tape, Train: true, Seed: 1}
	var loss float32
	for step := range steps {
		set.ZeroGrad()
		c.Step = step
		l := autograd.CrossEntropy(net.logits(c, tape.Constant(x)), y, 0)
		tape.Backward(l)
		opt.Step(schedule.At(step))
		loss = l.Value().Item()
		tape.Reset() // every intermediate goes back to the pool
	}

	right := 0
	tape.NoGrad(func() {
		logits := net.logits(nn.Context{Tape: tape}, tape.Constant(x))
		guess := tensor.ArgMax(logits.Value())
		defer guess.Release()
		for i, g := range guess.Ints() {
			if g == label[i] {
				right++
			}
		}
	})
	tape.Reset()
	fmt.Printf("%d parameters, loss below 0.05: %t, %d of %d points right\n", set.Count(), loss < 0.05, right, len(label))
	// Output: 1218 parameters, loss below 0.05: true, 200 of 200 points right
}
