package autograd

import (
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// CheckGradients compares the gradients of Σ c·f(inputs), with fixed random c, with five-point central differences of the same sum. The
// sum is computed in float64 from float32 values. It is meant for tests of models and of new operations, see Custom.
//
// Inputs are Float32 and of order one, and their elements lie at least 1/32 from where a gradient of f jumps. They are not changed. f is
// called once for the gradients, and four times for each element. It is deterministic, and uses nothing but inputs, constants and the tape
// of the inputs. A tol of 1e-3 suits most operations.
//
// It returns an error that names the first element whose gradient is off by more than tol·(1 + its size), or an input without a gradient.
// It panics where an input is nil or has another dtype.
func CheckGradients(dev *tensor.Device, tol float64, f func(in []*Var) *Var, inputs ...*tensor.Tensor) error {
	const op = "CheckGradients"
	for _, in := range inputs {
		has(op, "an input", in)
		floats(op, in)
	}
	tape := NewTape(dev)
	defer tape.Reset()
	var weights []float32
	run := func(values [][]float32) float64 {
		var sum float64
		tape.Scope(func() *Var {
			vars := make([]*Var, len(inputs))
			for i, v := range values {
				vars[i] = tape.Own(tensor.FromSlice(dev, v, inputs[i].Shape()...))
			}
			for i, y := range f(vars).Value().Float32s() {
				sum += float64(weights[i]) * float64(y)
			}
			return nil
		})
		return sum
	}
	vars := make([]*Var, len(inputs))
	values := make([][]float32, len(inputs))
	for i, in := range inputs {
		vars[i], values[i] = tape.Leaf(in), in.Float32s()
	}
	y := f(vars)
	if !y.NeedsGrad() {
		return errors.New("the result depends on no input")
	}
	r := tensor.NewRand(1)
	for range y.Value().Size() {
		weights = append(weights, float32(r.Norm()))
	}
	tape.BackwardFrom(y, tensor.FromSlice(dev, weights, y.Shape()...))
	const h = 1.0 / 64
	for i := range inputs {
		if vars[i].Grad() == nil {
			return fmt.Errorf("input %d: no gradient", i)
		}
		got := vars[i].Grad().Float32s()
		for j, x := range values[i] {
			at := func(d float32) float64 {
				values[i][j] = x + d
				return run(values)
			}
			want := (8*(at(h)-at(-h)) - (at(2*h) - at(-2*h))) / (12 * h)
			values[i][j] = x
			if d := math.Abs(float64(got[j]) - want); !(d <= tol*(1+math.Abs(want))) {
				return fmt.Errorf("input %d, element %d: gradient %v, differences give %v", i, j, got[j], want)
			}
		}
	}
	return nil
}
