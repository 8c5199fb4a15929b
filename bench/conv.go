package bench

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// convolutions are 3 x 3 ones that keep the size: of a segmentation head, and of a small CNN. The backward pass gives the gradients of images,
// kernels and bias, so it has twice the FLOPs.
func convolutions(dev *tensor.Device) []Case {
	var all []Case
	for _, s := range []struct{ batch, channels, side, kernels int }{{2, 256, 64, 256}, {16, 32, 32, 64}} {
		product := 2 * float64(s.batch*s.side*s.side) * float64(s.channels*9) * float64(s.kernels)
		for _, pass := range []struct {
			name     string
			products float64
		}{{"forward", 1}, {"backward", 2}} {
			for _, p := range precisions(dev, "Conv2D") {
				all = append(all, Case{
					Benchmark: Conv, Precision: p, FLOPs: pass.products * product,
					Params: fmt.Sprintf("pass=%s/batch=%d/channels=%d/side=%d/kernels=%d/precision=%s", pass.name, s.batch, s.channels, s.side, s.kernels, p),
					Setup: func() (run, release func()) {
						forward, backward, release := convolution(dev, s.batch, s.channels, s.side, s.kernels, p)
						if pass.name == "forward" {
							return forward, release
						}
						return backward, release
					},
				})
			}
		}
	}
	return all
}

// convolution returns the two passes of b images.
func convolution(dev *tensor.Device, b, channels, side, kernels int, p tensor.Precision) (forward, backward, release func()) {
	x, w, bias := random(dev, 1, b, channels, side, side), random(dev, 2, kernels, channels, 3, 3), random(dev, 3, kernels)
	y, dy := tensor.New(dev, b, kernels, side, side), random(dev, 4, b, kernels, side, side)
	dx, dw, db := tensor.New(dev, x.Shape()...), tensor.New(dev, w.Shape()...), tensor.New(dev, kernels)
	o := tensor.ConvOptions{Padding: [2]int{1, 1}}
	forward = func() { tensor.Conv2D(tensor.Conv2DArgs{Y: y, X: x, W: w, Bias: bias, ConvOptions: o, Precision: p}) }
	backward = func() {
		tensor.Conv2DGrad(tensor.Conv2DGradArgs{
			DX: tensor.Grad{To: dx}, DW: tensor.Grad{To: dw}, DBias: tensor.Grad{To: db}, DY: dy, X: x, W: w, ConvOptions: o, Precision: p,
		})
	}
	return forward, backward, free(x, w, bias, y, dy, dx, dw, db)
}
