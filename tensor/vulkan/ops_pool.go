//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// MaxPool finds the maximum of each window.
func (b *backend) MaxPool(y, index, x *tensor.Tensor, w tensor.Window) {
	cells, windows := plane(x), plane(y)
	b.rows(x.Shape()[0], max(cells, windows), func(lo, n int) {
		b.dispatch(shaders.MaxPool, nil, elements(n*windows), windowWords(n*windows, x.Shape(), y.Shape(), w),
			write(y).rows(lo, n, windows), write(index).rows(lo, n, windows), read(x).rows(lo, n, cells))
	})
}

// MaxPoolGrad gathers for each cell the windows that it won.
func (b *backend) MaxPoolGrad(dx, dy, index *tensor.Tensor, w tensor.Window) {
	cells, windows := plane(dx), plane(dy)
	b.rows(dx.Shape()[0], max(cells, windows), func(lo, n int) {
		b.dispatch(shaders.MaxPoolGrad, nil, elements(n*cells), windowWords(n*cells, dx.Shape(), dy.Shape(), w),
			write(dx).rows(lo, n, cells), read(dy).rows(lo, n, windows), read(index).rows(lo, n, windows))
	})
}

// plane is how many elements a plane of [P, H, W] has.
func plane(t *tensor.Tensor) int { return t.Shape()[1] * t.Shape()[2] }

// windowWords are the words of both shaders, for n elements and planes of the shapes x and y.
func windowWords(n int, x, y tensor.Shape, w tensor.Window) []uint32 {
	words := []uint32{u(n), u(x[1]), u(x[2]), u(y[1]), u(y[2])}
	for _, pair := range [][2]int{w.Kernel, w.Stride, w.Padding} {
		words = append(words, u(pair[0]), u(pair[1]))
	}
	return words
}
