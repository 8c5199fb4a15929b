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

// tableName is the suffix of the names of relative position bias tables.
const tableName = "relative_position_bias_table"

// windowOf returns the side of the window for a relative position bias table of so many rows, or 0.
func windowOf(rows int) int {
	w := (root(rows-3) + 1) / 2
	if w < 1 || nn.RelPosRows(w, w) != rows {
		return 0
	}
	return w
}

// gridOf returns the side of the square grid for so many positions, class token included, or 0.
func gridOf(positions int) int {
	if g := root(positions - 1); g > 0 && g*g == positions-1 {
		return g
	}
	return 0
}

// root returns the square root of n, rounded down.
func root(n int) int { return int(math.Sqrt(float64(max(n, 0)))) }

// resizes reports whether a tensor of shape can be, and has to be, resized for parameter p.
func resizes(p *nn.Param, shape []int) bool {
	n := len(p.Shape)
	if p.Shape.Equal(shape) || n != len(shape) || n < 2 || p.Shape[n-1] != shape[n-1] {
		return false
	}
	switch {
	case strings.HasSuffix(p.Name, tableName):
		return n == 2 && windowOf(shape[0]) >= beit.MinRelPosWindow && windowOf(p.Shape[0]) > 0
	case strings.HasSuffix(p.Name, "pos_embed"):
		return n == 3 && shape[0] == 1 && gridOf(shape[1]) > 0 && gridOf(p.Shape[1]) > 0
	case p.Name == "visual.positional_embedding":
		return n == 2 && gridOf(shape[0]) > 0 && gridOf(p.Shape[0]) > 0
	}
	return false
}

// resized resizes values of a shape that resizes accepts for parameter p.
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
	return beit.ResizeLoadedPositions(nn.Context{Tape: tape}, positions, to, to).Value().Float32s()
}

// checkWindow returns the side of the window for a relative position bias table of the given shape, or an error.
func checkWindow(name string, shape []int) (window int, err error) {
	if len(shape) == 2 {
		window = windowOf(shape[0])
	}
	if window == 0 || window > maxGrid {
		return 0, fmt.Errorf("tensor %s: shape %v belongs to no square window of at most %d patches a side", name, shape, maxGrid)
	}
	return window, nil
}
