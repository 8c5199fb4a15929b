package mae

import (
	"math"

	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Positions is the fixed table of positions [1 + grid·grid, width], row by row, of a width that is a multiple of 4. The row of the class token is
// zero. Of a patch's row the first half tells its column, the second half its row, each by sines and then cosines at width/4 frequencies
// 10000^(-i/(width/4)), as get_2d_sincos_pos_embed of the authors' pos_embed.py.
func Positions(width, grid int) []float32 {
	quarter := width / 4
	list := make([]float32, (1+grid*grid)*width)
	for p := range grid * grid {
		row := list[(1+p)*width:][:width]
		for half, at := range []int{p % grid, p / grid} {
			for i := range quarter {
				angle := float64(at) * math.Pow(10000, -float64(i)/float64(quarter))
				row[2*half*quarter+i] = float32(math.Sin(angle))
				row[(2*half+1)*quarter+i] = float32(math.Cos(angle))
			}
		}
	}
	return list
}

// table sets a parameter to Positions.
func table(width, grid int) nn.Init {
	return func(values []float32, _ *tensor.Rand) { copy(values, Positions(width, grid)) }
}
