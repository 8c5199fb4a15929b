package tensor

import "math"

// Window says how pooling moves over the last two axes: the sides of the window, its steps, and the cells around the input that belong to no
// image. Rows come first. A step of 0 stands for the side of the window.
type Window struct{ Kernel, Stride, Padding [2]int }

// SquareWindow is a Window that is equal on both axes.
func SquareWindow(kernel, stride, padding int) Window {
	return Window{Kernel: [2]int{kernel, kernel}, Stride: [2]int{stride, stride}, Padding: [2]int{padding, padding}}
}

// withSteps is w with the sides of the window in place of steps of 0.
func (w Window) withSteps() Window {
	for i, stride := range w.Stride {
		if stride == 0 {
			w.Stride[i] = w.Kernel[i]
		}
	}
	return w
}

// Sides returns the sides of the result for an input of h rows and width columns: ⌊(side + 2·padding − kernel)/stride⌋ + 1. It reports false when the
// window is larger than the padded input, the padding more than half the window, or a side or step beyond 2^24.
func (w Window) Sides(h, width int) (rows, cols int, ok bool) {
	w = w.withSteps()
	var sides [2]int
	for i, size := range [2]int{h, width} {
		k, p, s := w.Kernel[i], w.Padding[i], w.Stride[i]
		if k <= 0 || s <= 0 || max(k, s) > maxConv || p < 0 || p > k/2 || size <= 0 || size+2*p < k {
			return 0, 0, false
		}
		sides[i] = (size+2*p-k)/s + 1
	}
	return sides[0], sides[1], true
}

// Taps returns the maps of rows and columns that average over windows. It panics where Sides reports false.
func (w Window) Taps(h, width int) (rows, cols *Taps) {
	w = w.withSteps()
	return WindowTaps(h, w.Kernel[0], w.Stride[0], w.Padding[0]), WindowTaps(width, w.Kernel[1], w.Stride[1], w.Padding[1])
}

// window returns the sides of the result for an input x [B, C, H, W], and panics when w does not fit, or places in a plane are beyond Int32.
func (c *call) window(x Shape, w Window) (rows, cols int) {
	c.must(len(x) == 4, "want [B, C, H, W]", x)
	rows, cols, ok := w.Sides(x[2], x[3])
	c.must(ok, "want a window within the input and its padding, which is at most half the window", x, w.Kernel[:], w.Stride[:], w.Padding[:])
	c.must(x[2] <= math.MaxInt32/x[3], "a plane has more places than Int32", x)
	return rows, cols
}

// MaxPool returns the maximum of each window of x [B, C, H, W]: y [B, C, H', W'] with the sides that Window.Sides has, and index, Int32 of the same shape, the
// place row·W + col of the first maximum in row-major order. Padding never wins, and NaN always does. It panics when
// the window is larger than the padded input, or the padding more than half the window.
func MaxPool(x *Tensor, w Window) (y, index *Tensor) {
	c := begin("MaxPool", "x", x)
	defer c.end()
	rows, cols := c.window(x.shape, w)
	x = c.f32(x)
	y = c.out(x.shape[0], x.shape[1], rows, cols)
	index = newTensor(c.dev, c.op, Int32, y.shape...)
	to, at, from := y.planes(), index.planes(), x.planes()
	c.run(func(o Ops) { o.MaxPool(to, at, from, w.withSteps()) })
	return y, index
}

// MaxPoolGrad returns the gradient of MaxPool with respect to its input of h rows and w columns. dy and index are [B, C, H', W'], and index is that of
// MaxPool by the same window.
func MaxPoolGrad(dy, index *Tensor, h, w int, win Window) *Tensor {
	c := begin("MaxPoolGrad", "dy, index", dy, index)
	defer c.end()
	c.must(len(dy.shape) == 4 && dy.shape.Equal(index.shape), "want dy and index [B, C, H', W']", dy.shape, index.shape)
	x := Shape{dy.shape[0], dy.shape[1], h, w}
	rows, cols := c.window(x, win)
	c.must(dy.shape[2] == rows && dy.shape[3] == cols, "the window gives another shape", dy.shape, x, win.Kernel[:], win.Stride[:], win.Padding[:])
	dx := c.out(x...)
	dy, index = c.f32(dy), c.in(index, Int32)
	to, from, at := dx.planes(), dy.planes(), index.planes()
	c.run(func(o Ops) { o.MaxPoolGrad(to, from, at, win.withSteps()) })
	return dx
}

// planes is a contiguous [B, C, H, W] seen as [B·C, H, W].
func (t *Tensor) planes() *Tensor { return t.Reshape(t.shape[0]*t.shape[1], t.shape[2], t.shape[3]) }
