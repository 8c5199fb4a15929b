package autograd

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Results of scalars are scalars, and so are their gradients.
func TestElementwiseOfScalars(t *testing.T) {
	dev := tensor.CPU()
	for name, c := range map[string]struct {
		f            func(x *Var) *Var
		value, slope float32 // at 2
	}{
		"Pow":     {func(x *Var) *Var { return Pow(x, 3) }, 8, 12},
		"Clip":    {func(x *Var) *Var { return Clip(x, 0, 3) }, 2, 1},
		"Maximum": {func(x *Var) *Var { return Maximum(x, Affine(x, 2, 0)) }, 4, 2},
		"Where":   {func(x *Var) *Var { return Where(tensor.Zeros(dev), x, Mul(x, x)) }, 4, 4},
	} {
		tape := NewTape(dev)
		x := tape.Leaf(tensor.FromSlice(dev, []float32{2}))
		y := c.f(x)
		if len(y.Shape()) != 0 || y.Value().Float32s()[0] != c.value {
			t.Errorf("%s: %v of shape %v", name, y.Value().Float32s(), y.Shape())
			continue
		}
		tape.Backward(y)
		if g := x.Grad(); len(g.Shape()) != 0 || g.Float32s()[0] != c.slope {
			t.Errorf("%s: gradient %v of shape %v", name, g.Float32s(), g.Shape())
		}
	}
}

// The gradient of Abs is 0 at 0, whatever comes from above.
func TestAbsAtZero(t *testing.T) {
	tape := NewTape(tensor.CPU())
	x := tape.Leaf(tensor.FromSlice(tensor.CPU(), []float32{0, -1}, 2))
	inf := float32(math.Inf(1))
	tape.BackwardFrom(Abs(x), tensor.FromSlice(tensor.CPU(), []float32{inf, inf}, 2))
	if g := x.Grad().Float32s(); g[0] != 0 || g[1] != -inf {
		t.Errorf("gradient %v", g)
	}
}
