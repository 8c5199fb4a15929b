package autograd_test

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// One step by hand: the gradient of mean (w·x − 1)² with respect to w.
func Example() {
	dev := tensor.CPU()
	w, dw := tensor.FromSlice(dev, []float32{1, 2}, 1, 2), tensor.Zeros(dev, 1, 2)
	x := tensor.FromSlice(dev, []float32{3, 4}, 1, 2)

	tape := autograd.NewTape(dev)
	y := autograd.Linear(tape.Constant(x), tape.Param(w, dw), nil, autograd.LinearOptions{})
	loss := autograd.MeanSquare(y, tape.Constant(tensor.Full(dev, 1, 1, 1)))
	tape.Backward(loss)
	fmt.Println(loss.Value().Item(), dw.Float32s())
	tape.Reset()
	// Output: 100 [60 80]
}

// Rounding has no gradient worth the name; the straight-through estimator passes on that of the rounded value.
func ExampleStraightThrough() {
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	x := tape.Leaf(tensor.FromSlice(dev, []float32{0.4, 1.7}, 2))
	q := autograd.StraightThrough(x, tensor.FromSlice(dev, []float32{0, 2}, 2))
	tape.Backward(autograd.Sum(autograd.Mul(q, q), 0))
	fmt.Println(x.Grad())
	// Output: [0 4]
}

// In a Scope nothing is recorded, and all but the result goes back to the pool at once.
func ExampleTape_Scope() {
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	x := tape.Constant(tensor.FromSlice(dev, []float32{1, 2}, 2))
	var between *autograd.Var
	y := tape.Scope(func() *autograd.Var {
		between = autograd.Add(x, x)
		return autograd.Mul(between, x)
	})
	fmt.Println(y.Value(), y.NeedsGrad(), between.Value().Live())
	// Output: [2 8] false false
}

// A checkpointed segment runs again in Backward instead of keeping what lies between.
func ExampleCheckpoint() {
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	runs := 0
	x := tape.Leaf(tensor.FromSlice(dev, []float32{3}, 1))
	y := autograd.Checkpoint(x, func(x *autograd.Var) *autograd.Var {
		runs++
		return autograd.Mul(autograd.Mul(x, x), x)
	})
	tape.Backward(y)
	fmt.Println(runs, "runs, gradient", x.Grad())
	// Output: 2 runs, gradient [27]
}
