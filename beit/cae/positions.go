package cae

import "github.com/gobeit/gobeit/beit"

// Positions is the fixed table of positions [1 + grid·grid, width] of build_2d_sincos_position_embedding in the authors' modeling_cae_helper.py, row by
// row: that of beit.SinCosPositions whose first half tells a patch's row. MAE's tells the column first. width is a multiple of 4.
func Positions(width, grid int) []float32 { return beit.SinCosPositions(width, grid, beit.RowFirst) }
