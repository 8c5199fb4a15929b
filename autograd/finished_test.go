package autograd_test

import (
	"slices"
	"testing"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Finished is called once for each parameter, the last used first, when nothing is added to its gradient any more.
func TestFinished(t *testing.T) {
	dev := tensor.CPU()
	const n = 4
	var values, grads [n]*tensor.Tensor
	for i := range n {
		values[i] = tensor.Full(dev, float32(i+2), 3, 3)
		grads[i] = tensor.Zeros(dev, 3, 3)
	}
	x := tensor.Full(dev, 0.5, 3, 3)
	for name, layer := range map[string]func(f func(in *autograd.Var) *autograd.Var, in *autograd.Var) *autograd.Var{
		"plain": func(f func(in *autograd.Var) *autograd.Var, in *autograd.Var) *autograd.Var { return f(in) },
		"checkpointed": func(f func(in *autograd.Var) *autograd.Var, in *autograd.Var) *autograd.Var {
			return autograd.Checkpoint(in, f)
		},
	} {
		tape := autograd.NewTape(dev)
		var told []int
		then := map[int][]float32{}
		tape.Finished = func(grad *tensor.Tensor) {
			i := slices.Index(grads[:], grad)
			told = append(told, i)
			then[i] = grad.Float32s()
		}
		for _, reset := range []bool{true, false, true} { // a Backward forgets, and Reset
			told = nil
			h := tape.Constant(x)
			param := func(i int) *autograd.Var { return tape.Param(values[i], grads[i]) }
			for i := range n - 1 {
				h = layer(func(in *autograd.Var) *autograd.Var { return autograd.MatMul(autograd.MatMul(in, param(i)), param(0)) }, h) // the first in every layer
			}
			tape.NoGrad(func() { autograd.MatMul(h, param(n-1)) }) // and the last in no layer
			tape.Backward(autograd.MeanSquare(h, tape.Constant(x)))
			if reset {
				tape.Reset()
			}
			if want := []int{n - 1, 2, 1, 0}; !slices.Equal(told, want) {
				t.Errorf("%s: told of %v, want %v", name, told, want)
			}
			for i, g := range grads {
				if !slices.Equal(then[i], g.Float32s()) {
					t.Errorf("%s: the gradient of parameter %d was not finished", name, i)
				}
			}
		}
	}
}
