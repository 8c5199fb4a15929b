//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// MaxPool finds the maximum of each window.
func (b *backend) MaxPool(y, index, x *tensor.Tensor, w tensor.Window) {
	cells, windows := plane(x), plane(y)
	b.rows(x.Shape()[0], max(cells, windows), func(lo, n int) {
		b.eachPart(n*windows, w.Kernel[0], w.Kernel[1], func(part []uint32) {
			b.dispatch(shaders.MaxPool, nil, elements(n*windows), append(windowWords(n*windows, x.Shape(), y.Shape(), w), part...),
				update(y).rows(lo, n, windows), update(index).rows(lo, n, windows), read(x).rows(lo, n, cells))
		})
	})
}

// MaxPoolGrad gathers for each cell the windows that it won.
func (b *backend) MaxPoolGrad(dx, dy, index *tensor.Tensor, w tensor.Window) {
	cells, windows := plane(dx), plane(dy)
	b.rows(dx.Shape()[0], max(cells, windows), func(lo, n int) {
		b.eachPart(n*cells, div(w.Kernel[0], w.Stride[0]), div(w.Kernel[1], w.Stride[1]), func(part []uint32) {
			b.dispatch(shaders.MaxPoolGrad, nil, elements(n*cells), append(windowWords(n*cells, dx.Shape(), dy.Shape(), w), part...),
				update(dx).rows(lo, n, cells), read(dy).rows(lo, n, windows), read(index).rows(lo, n, windows))
		})
	})
}

// eachPart cuts the rows x cols turns that n elements have each, in row-major order, and calls f with the first row and column of a part, and those
// behind its last. It says what a part costs.
func (b *backend) eachPart(n, rows, cols int, f func(part []uint32)) {
	width := min(cols, b.caps.maxTurns-1)
	height := min(rows, max(1, b.caps.maxTurns/(width+1)))
	for r := 0; r < rows; r += height {
		for c := 0; c < cols; c += width {
			bottom, right := min(rows, r+height), min(cols, c+width)
			b.weigh(float64(n) * float64(bottom-r) * float64(right-c))
			f([]uint32{u(r), u(c), u(bottom), u(right)})
		}
	}
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
