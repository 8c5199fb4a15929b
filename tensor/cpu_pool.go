package tensor

import "math"

// MaxPool gives each task some planes.
func (c *cpuBackend) MaxPool(y, index, x *Tensor, w Window) {
	to, at, from := f32(y), i32(index), f32(x)
	rows, cols := y.shape[1], y.shape[2]
	h, width := x.shape[1], x.shape[2]
	split(x.shape[0], rows*cols*w.Kernel[0]*w.Kernel[1], func(lo, hi int) {
		for p := lo; p < hi; p++ {
			plane := from[p*h*width : (p+1)*h*width]
			for i := range rows {
				line := (p*rows + i) * cols
				maxPoolRow(to[line:line+cols], at[line:line+cols], plane, width, i*w.Stride[0]-w.Padding[0], w)
			}
		}
	})
}

// maxPoolRow pools the windows whose first line is line top of a plane: one place of all windows after the other, in row-major order.
func maxPoolRow(to []float32, at []int32, plane []float32, width, top int, w Window) {
	stride, padding := w.Stride[1], w.Padding[1]
	bottom := min(top+w.Kernel[0], len(plane)/width)
	top = max(top, 0)
	for j := range to {
		to[j], at[j] = float32(math.Inf(-1)), int32(top*width+max(j*stride-padding, 0))
	}
	for r := top; r < bottom; r++ {
		line := plane[r*width : (r+1)*width]
		for q := -padding; q < w.Kernel[1]-padding; q++ {
			first := max(0, ceilDiv(-q, stride)) // the windows in which place q is in the plane
			if q >= width {
				continue
			}
			for j := first; j < min(len(to), (width-1-q)/stride+1); j++ {
				if v := line[j*stride+q]; !(v <= to[j]) && to[j] == to[j] { // NaN wins, and keeps what it won
					to[j], at[j] = v, int32(r*width+j*stride+q)
				}
			}
		}
	}
}

// MaxPoolGrad adds up the windows of each plane in order.
func (c *cpuBackend) MaxPoolGrad(dx, dy, index *Tensor, _ Window) {
	cells, windows := dx.shape[1]*dx.shape[2], dy.shape[1]*dy.shape[2]
	to, from, at := f32(dx), f32(dy), indices("MaxPoolGrad", index, cells)
	split(dx.shape[0], cells+windows, func(lo, hi int) {
		clear(to[lo*cells : hi*cells])
		for p := lo; p < hi; p++ {
			plane := to[p*cells : (p+1)*cells]
			for i := p * windows; i < (p+1)*windows; i++ {
				plane[at[i]] += from[i]
			}
		}
	})
}
