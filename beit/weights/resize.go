package weights

import (
	"fmt"
	"math"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// tableName ends the names of tables of relative positions.
const tableName = "relative_position_bias_table"

// windowOf is the side of the window that a table of relative positions of so many rows is for, or 0.
func windowOf(rows int) int {
	w := (root(rows-3) + 1) / 2
	if w < 1 || nn.RelPosRows(w, w) != rows {
		return 0
	}
	return w
}

// gridOf is the side of the square grid that so many positions are for, the class token's among them, or 0.
func gridOf(positions int) int {
	if g := root(positions - 1); g > 0 && g*g == positions-1 {
		return g
	}
	return 0
}

// root is that of n, rounded down.
func root(n int) int { return int(math.Sqrt(float64(max(n, 0)))) }

// resizes says whether a tensor of shape can be brought to the size of parameter p, and has another.
func resizes(p *nn.Param, shape []int) bool {
	n := len(p.Shape)
	if p.Shape.Equal(shape) || n != len(shape) || n < 2 || p.Shape[n-1] != shape[n-1] {
		return false
	}
	switch {
	case strings.HasSuffix(p.Name, tableName):
		return n == 2 && windowOf(shape[0]) >= beit.LeastRelPosWindow && windowOf(p.Shape[0]) > 0
	case strings.HasSuffix(p.Name, "pos_embed"):
		return n == 3 && shape[0] == 1 && gridOf(shape[1]) > 0 && gridOf(p.Shape[1]) > 0
	case p.Name == "visual.positional_embedding":
		return n == 2 && gridOf(shape[0]) > 0 && gridOf(p.Shape[0]) > 0
	}
	return false
}

// resized brings values of a shape that resizes accepts to the size of parameter p.
func resized(p *nn.Param, shape []int, values []float32) []float32 {
	if strings.HasSuffix(p.Name, tableName) {
		return beit.ResizeRelPos(values, shape[1], windowOf(shape[0]), windowOf(p.Shape[0]))
	}
	n := len(shape)
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	positions := tape.Own(tensor.FromSlice(dev, values, 1, shape[n-2], shape[n-1]))
	to := gridOf(p.Shape[n-2])
	return beit.FitPositions(nn.Context{Tape: tape}, positions, to, to).Value().Float32s()
}

// checkWindow says what is wrong with the shape of a table of relative positions, of which the buffer beside it can be made.
func checkWindow(name string, shape []int) (window int, err error) {
	if len(shape) == 2 {
		window = windowOf(shape[0])
	}
	if window == 0 || window > maxGrid {
		return 0, fmt.Errorf("tensor %s: shape %v is that of no square window of at most %d patches a side", name, shape, maxGrid)
	}
	return window, nil
}
