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
