package mae

import "github.com/gobeit/gobeit/beit"

// Positions is the fixed table of positions [1 + grid·grid, width] of get_2d_sincos_pos_embed in the authors' pos_embed.py, row by row: that of
// beit.SinCosPositions whose first half tells a patch's column. width is a multiple of 4.
func Positions(width, grid int) []float32 { return beit.SinCosPositions(width, grid, beit.ColumnFirst) }
