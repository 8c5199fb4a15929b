package beit

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// gridOffset is added to the number of patches when the ratio of two grids is computed. The authors of DINO, and of BEiT after them, do
// this against rounding down to one patch too few. It shifts the sampling positions, so models trained with it need it.
const gridOffset = 0.1

// ResizePositions interpolates learned positions [1, 1 + N, d] of a grid of from rows for a grid of rows x cols, [1, 1 + rows·cols, d]. The
// interpolation is bicubic; the position of the class token stays the same. Positions of the same grid are returned unchanged. It panics when from does
// not divide N.
func ResizePositions(c nn.Context, pos *autograd.Var, from, rows, cols int) *autograd.Var {
	old := columns("ResizePositions", pos, from)
	return resamplePositions(c, pos, [2]int{from, old}, rows, cols, float64(from)/(float64(rows)+gridOffset), float64(old)/(float64(cols)+gridOffset))
}

// columns returns those of a grid of positions.
func columns(op string, pos *autograd.Var, rows int) int {
	n := pos.Shape()[1] - 1
	if rows < 1 || n%rows != 0 {
		panic(fmt.Sprintf("beit: %s: positions of shape %v do not have %d rows", op, pos.Shape(), rows))
	}
	return n / rows
}

// resamplePositions is ResizePositions with the distances of neighbouring samples given, in cells of the old grid.
func resamplePositions(c nn.Context, pos *autograd.Var, from [2]int, rows, cols int, stepRows, stepCols float64) *autograd.Var {
	n, d := pos.Shape()[1]-1, pos.Shape()[2]
	if from == [2]int{rows, cols} {
		return pos
	}
	table := autograd.Permute(autograd.Reshape(autograd.Slice(pos, 1, 1, n+1), from[0], from[1], d), 2, 0, 1) // [d, rows, cols]
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

// ResizeLoadedPositions is ResizePositions as the authors apply it when they load a checkpoint: neighbouring samples are exactly the ratio of the two
// grids' sides apart.
func ResizeLoadedPositions(c nn.Context, pos *autograd.Var, from, rows, cols int) *autograd.Var {
	old := columns("ResizeLoadedPositions", pos, from)
	return resamplePositions(c, pos, [2]int{from, old}, rows, cols, float64(from)/float64(rows), float64(old)/float64(cols))
}

// HalfOrder says which half of a table of sines and cosines tells a patch's row, and which its column.
type HalfOrder bool

// The orders: that of MAE, and that of CAE.
const (
	ColumnFirst HalfOrder = false
	RowFirst    HalfOrder = true
)

// SinCosPositions is a fixed table of positions [1 + grid·grid, width], row by row. The row of the class token is zero. Of a patch's row one half tells
// its row and the other its column, in the given order, each by sines and then cosines at width/4 frequencies 10000^(-i/(width/4)). It panics unless
// width is a multiple of 4.
func SinCosPositions(width, grid int, order HalfOrder) []float32 {
	if width%4 != 0 {
		panic(fmt.Sprintf("beit: SinCosPositions: width %d is no multiple of 4", width))
	}
	quarter := width / 4
	list := make([]float32, (1+grid*grid)*width)
	for p := range grid * grid {
		row, halves := list[(1+p)*width:][:width], []int{p % grid, p / grid}
		if order == RowFirst {
			halves = []int{p / grid, p % grid}
		}
		for half, at := range halves {
			for i := range quarter {
				angle := float64(at) * math.Pow(10000, -float64(i)/float64(quarter))
				row[2*half*quarter+i] = float32(math.Sin(angle))
				row[(2*half+1)*quarter+i] = float32(math.Cos(angle))
			}
		}
	}
	return list
}
