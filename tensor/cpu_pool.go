package tensor

// MaxPool gives each task some planes.
func (c *cpuBackend) MaxPool(y, index, x *Tensor, w Window) {
	to, at, from := f32(y), i32(index), f32(x)
	rows, cols := y.shape[1], y.shape[2]
	h, width := x.shape[1], x.shape[2]
	split(x.shape[0], rows*cols*w.Kernel[0]*w.Kernel[1], func(lo, hi int) {
		for p := lo; p < hi; p++ {
			plane := from[p*h*width : (p+1)*h*width]
			for i := range rows {
				top := i*w.Stride[0] - w.Padding[0]
				line := (p*rows + i) * cols
				maxPoolRow(to[line:line+cols], at[line:line+cols], plane, width, max(top, 0), min(top+w.Kernel[0], h), w)
			}
		}
	})
}

// maxPoolRow pools the windows that cover lines top … bottom-1 of a plane.
func maxPoolRow(to []float32, at []int32, plane []float32, width, top, bottom int, w Window) {
	for j := range to {
		left := j*w.Stride[1] - w.Padding[1]
		right := min(left+w.Kernel[1], width)
		left = max(left, 0)
		best := top*width + left
		largest := plane[best]
		for r := top; r < bottom; r++ {
			for q, v := range plane[r*width+left : r*width+right] {
				if v > largest || v != v && largest == largest {
					best, largest = r*width+left+q, v
				}
			}
		}
		to[j], at[j] = largest, int32(best)
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
