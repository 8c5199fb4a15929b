package beit

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// gridOffset is added to the number of patches when the ratio of two grids is computed. The authors of DINO, and of BEiT after them, do
// this against rounding down to one patch too few. It shifts the sampling positions, so models trained with it need it.
const gridOffset = 0.1

// ResizePositions interpolates learned positions [1, 1 + g·g, d] of a square grid for a grid of rows x cols, [1, 1 + rows·cols, d]. The
// interpolation is bicubic; the position of the class token stays the same. A grid of g x g is returned unchanged.
func ResizePositions(c nn.Context, pos *autograd.Var, rows, cols int) *autograd.Var {
	g := float64(side(pos.Shape()[1] - 1))
	return resamplePositions(c, pos, rows, cols, g/(float64(rows)+gridOffset), g/(float64(cols)+gridOffset))
}

// resamplePositions is ResizePositions with the distances of neighbouring samples given, in cells of the old grid.
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

// side returns the side of a square grid of n patches: the square root of n, rounded up.
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

// ResizeLoadedPositions is ResizePositions as the authors apply it when they load a checkpoint: neighbouring samples are exactly g/rows
// and g/cols apart.
func ResizeLoadedPositions(c nn.Context, pos *autograd.Var, rows, cols int) *autograd.Var {
	g := side(pos.Shape()[1] - 1)
	return resamplePositions(c, pos, rows, cols, float64(g)/float64(rows), float64(g)/float64(cols))
}
