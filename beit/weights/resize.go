package weights

import (
	"fmt"
	"math"
	"slices"
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

// grid is the rows and columns of patches that positions or a table belong to; zero where that is not known.
type grid [2]int

// known reports whether both sides are.
func (g grid) known() bool { return g[0] > 0 && g[1] > 0 }

// positions returns how many numbers of an axis a grid has: of positions, class token included, or of a table.
func (g grid) positions(table bool) int {
	if table {
		return nn.RelPosRows(g[0], g[1])
	}
	return g[0]*g[1] + 1
}

// square is the square grid that an axis of so many numbers implies.
func square(n int, table bool) grid {
	side := gridOf(n)
	if table {
		side = windowOf(n)
	}
	return grid{side, side}
}

// gridOfParam is the grid of a parameter.
func gridOfParam(p *nn.Param, n int, table bool) grid {
	if p.Rows == 0 {
		return square(n, table)
	}
	g := grid{p.Rows, (n - 1) / p.Rows}
	if table {
		g[1] = ((n-3)/(2*p.Rows-1) + 1) / 2
	}
	if g.positions(table) != n {
		return grid{}
	}
	return g
}

// gridOfTensor is the grid of the model's tensors: that of its network, if n fits it.
func (m *Model) gridOfTensor(n int, table bool) grid {
	if v := m.ViT; v.PatchSize > 0 {
		rows, cols := v.GridSize()
		if g := (grid{rows, cols}); g.known() && g.positions(table) == n {
			return g
		}
	}
	return square(n, table)
}

// change is how the values of a tensor are resized for a parameter.
type change struct {
	table    bool
	from, to grid
	channels bool // of a patch embedding, in place of the grid
}

// changes reports whether a tensor of shape can be, and has to be, resized for parameter p, and how. Channels change only where weights start another
// network.
func (m *Model) changes(p *nn.Param, shape []int, transfer bool) (c change, ok bool) {
	n := len(p.Shape)
	if n != len(shape) || n < 2 {
		return c, false
	}
	if transfer && strings.TrimPrefix(p.Name, "backbone.") == embedName && n == 4 && shape[1] == rgb && p.Shape[1] != rgb {
		rest := slices.Clone(shape)
		rest[1] = p.Shape[1]
		return change{channels: true}, p.Shape.Equal(rest)
	}
	axis := n - 2
	switch {
	case p.Shape[n-1] != shape[n-1]:
		return c, false
	case strings.HasSuffix(p.Name, tableName) && n == 2:
		c.table = true
	case strings.HasSuffix(p.Name, "pos_embed") && n == 3 && shape[0] == 1, p.Name == "visual.positional_embedding" && n == 2:
	default:
		return c, false
	}
	c.from, c.to = m.gridOfTensor(shape[axis], c.table), gridOfParam(p, p.Shape[axis], c.table)
	if !c.from.known() || !c.to.known() || c.from == c.to {
		return c, false
	}
	small := func(axis int) bool { return c.from[axis] != c.to[axis] && c.from[axis] < beit.MinRelPosWindow }
	return c, !c.table || !small(0) && !small(1)
}

// resized resizes values of a shape as a change says.
func (c change) resized(p *nn.Param, shape []int, values []float32) []float32 {
	switch {
	case c.channels:
		return adaptChannels(values, shape, p.Shape[1])
	case c.table:
		return beit.ResizeRelPos(values, shape[1], c.from, c.to)
	}
	n := len(shape)
	dev := tensor.CPU()
	tape := autograd.NewTape(dev)
	defer tape.Reset()
	positions := tape.Own(tensor.FromSlice(dev, values, 1, shape[n-2], shape[n-1]))
	return beit.ResizeLoadedPositions(nn.Context{Tape: tape}, positions, c.from[0], c.to[0], c.to[1]).Value().Float32s()
}

// windowOfTable returns the window of a relative position bias table of the given shape, or an error.
func (m *Model) windowOfTable(name string, shape []int) (window grid, err error) {
	if len(shape) == 2 {
		window = m.gridOfTensor(shape[0], true)
	}
	if !window.known() || max(window[0], window[1]) > maxGrid {
		return grid{}, fmt.Errorf("tensor %s: shape %v belongs to no window of at most %d patches a side: one that is no square is known of runs alone", name, shape, maxGrid)
	}
	return window, nil
}
