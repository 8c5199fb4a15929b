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
				line := (p*rows + i) * cols
				maxPoolRow(to[line:line+cols], at[line:line+cols], plane, width, i*w.Stride[0]-w.Padding[0], w)
			}
		}
	})
}

// maxPoolRow pools the windows whose first line is line top of a plane, of which some may lie outside.
func maxPoolRow(to []float32, at []int32, plane []float32, width, top int, w Window) {
	bottom := min(top+w.Kernel[0], len(plane)/width)
	top = max(top, 0)
	for j := range to {
		left := j*w.Stride[1] - w.Padding[1]
		right := min(left+w.Kernel[1], width)
		left = max(left, 0)
		best := top*width + left
		largest := plane[best]
		for first := best; first < bottom*width; first += width {
			for k, v := range plane[first : first+right-left] {
				if !(v <= largest) && largest == largest { // NaN wins, and keeps what it won
					best, largest = first+k, v
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
