package beit

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// gridOffset is added to the number of patches in the ratio of grids by the authors of DINO, and by BEiT's after them, so that a factor
// times a size was never rounded down to one patch too few. It shifts the samples, so models trained with it need it.
const gridOffset = 0.1

// ResizePositions returns the learned positions [1, 1 + g·g, d] of a square grid for a grid of rows x cols, [1, 1 + rows·cols, d]:
// the patches' resampled by cubic convolution, the class token's as it is. A grid of g x g gets them unchanged.
func ResizePositions(c nn.Context, pos *autograd.Var, rows, cols int) *autograd.Var {
	g := float64(side(pos.Shape()[1] - 1))
	return resamplePositions(c, pos, rows, cols, g/(float64(rows)+gridOffset), g/(float64(cols)+gridOffset))
}

// resamplePositions samples the grid of positions at the given steps.
func resamplePositions(c nn.Context, pos *autograd.Var, rows, cols int, stepRows, stepCols float64) *autograd.Var {
	n, d := pos.Shape()[1]-1, pos.Shape()[2]
	g := side(n)
	if rows == g && cols == g {
		return pos
	}
	table := autograd.Permute(autograd.Reshape(autograd.Slice(pos, 1, 1, n+1), g, g, d), 2, 0, 1) // [d, g, g]
	table = nn.ResizeBicubic(c, table, rows, cols, stepRows, stepCols)
	table = autograd.Reshape(autograd.Permute(table, 1, 2, 0), 1, rows*cols, d)
	return autograd.Concat(1, autograd.Slice(pos, 1, 0, 1), table)
}

// side is that of a square grid of n patches: the root of n, rounded up.
func side(n int) int {
	if n < 1 {
		return 0
	}
	g := int(math.Sqrt(float64(n)))
	for g*g < n {
		g++
	}
	return g
}

// FitPositions returns the learned positions [1, 1 + g·g, d] of a square grid for a model of another, [1, 1 + rows·cols, d], as the authors resize them when
// they load a checkpoint. Unlike in ResizePositions, neighbours are exactly g/rows and g/cols apart.
func FitPositions(c nn.Context, pos *autograd.Var, rows, cols int) *autograd.Var {
	g := side(pos.Shape()[1] - 1)
	return resamplePositions(c, pos, rows, cols, float64(g)/float64(rows), float64(g)/float64(cols))
}
