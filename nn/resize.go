package nn

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// ResizeBicubic resamples the last two axes of x [.., H, W] to [.., rows, cols] by bicubic interpolation, with repeated borders and
// without antialiasing. It equals PyTorch's interpolate(mode="bicubic", align_corners=False).
//
// Neighbours of the result are stepRows and stepCols apart in x: H/rows and W/cols, except for published models that use other steps. It
// is computed as two matmuls with full weight matrices, so it suits small grids, such as position tables.
func ResizeBicubic(c Context, x *autograd.Var, rows, cols int, stepRows, stepCols float64) *autograd.Var {
	if x.Value() == nil {
		panic(&tensor.Error{Op: "ResizeBicubic", Reason: "x is nil"})
	}
	h, w := x.Value().Dim(-2), x.Value().Dim(-1)
	weights := func(n, from int, step float64) *tensor.Tensor { // [n, from]; the tape owns it
		return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), bicubicWeights(n, from, step), n, from)).Value()
	}
	down := c.Tape.Constant(weights(rows, h, stepRows))
	across := c.Tape.Constant(weights(cols, w, stepCols).T())
	return c.Exact(func() *autograd.Var { return autograd.MatMul(down, autograd.MatMul(x, across)) })
}

// bicubicWeights are the weights [n, from] of the inputs in each output: output i samples at (i + ½)·step − ½.
func bicubicWeights(n, from int, step float64) []float32 {
	out := make([]float32, n*from)
	for i := range n {
		at := (float64(i)+0.5)*step - 0.5
		first := math.Floor(at) - 1
		for k := range 4 {
			j := min(max(int(first)+k, 0), from-1)
			out[i*from+j] += float32(cubic(at - first - float64(k)))
		}
	}
	return out
}

// cubic is Keys' kernel with a = -0.75, PyTorch's choice.
func cubic(x float64) float64 {
	const a = -0.75
	switch x = math.Abs(x); {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}
