package tensor

import "math"

// Taps is a linear map from the cells of one axis to others, each a weighted sum of neighbours. Average pooling and resizing are such maps along both
// axes, and so are their gradients, by Transpose. BilinearTaps and its like make them.
type Taps struct {
	from, to     int
	first, start []int32 // of output i: its first input, and the place of its first weight; start has one more
	weights      []float32
	identity     bool
}

// newTaps adds up, for each of to outputs, the weights of inputs first, first+1, … that f returns.
func newTaps(op string, from, to int, f func(i int) (first int, weights []float64)) *Taps {
	if from < 1 || to < 1 || from > math.MaxInt32/2 || to > math.MaxInt32/2 {
		panic(&ShapeError{Op: op, Shapes: []Shape{{from}, {to}}, Reason: "want at least one cell"})
	}
	t := &Taps{from: from, to: to, start: []int32{0}, identity: from == to}
	for i := range to {
		first, weights := f(i)
		t.identity = t.identity && first == i && len(weights) == 1 && weights[0] == 1
		t.first = append(t.first, int32(first))
		for _, w := range weights {
			t.weights = append(t.weights, float32(w))
		}
		t.start = append(t.start, int32(len(t.weights)))
	}
	return t
}

// BilinearTaps is linear interpolation between the centres of cells: output i samples at (i + ½)·from/to − ½, clamped to the input's centres. It is
// PyTorch's interpolate with align_corners=False on one axis, without antialiasing.
func BilinearTaps(from, to int) *Taps {
	return newTaps("BilinearTaps", from, to, func(i int) (int, []float64) {
		// The place is at/unit, of whole numbers: the same on every machine.
		unit := 2 * to
		at := max((2*i+1)*from-to, 0)
		first := at / unit
		part := float64(at%unit) / float64(unit)
		if first >= from-1 || part == 0 {
			return min(first, from-1), []float64{1}
		}
		return first, []float64{1 - part, part}
	})
}

// NearestTaps gives output i the input ⌊i·from/to⌋, as PyTorch's interpolate does with mode="nearest", but computed with whole numbers.
func NearestTaps(from, to int) *Taps {
	return newTaps("NearestTaps", from, to, func(i int) (int, []float64) { return i * from / to, []float64{1} })
}

// AdaptiveTaps are means over bins: output i is the mean of inputs ⌊i·from/to⌋ … ⌈(i+1)·from/to⌉ − 1. Bins may overlap.
func AdaptiveTaps(from, to int) *Taps {
	return newTaps("AdaptiveTaps", from, to, func(i int) (int, []float64) {
		first, end := i*from/to, ceilDiv((i+1)*from, to)
		return first, equalWeights(end-first, end-first)
	})
}

// WindowTaps are means over windows of kernel cells, stride apart, on an axis with padding zeros on each side, which count: PyTorch's average pooling.
// It panics unless 0 ≤ padding ≤ kernel/2 and the window fits, and where kernel or stride is beyond 2^24.
func WindowTaps(from, kernel, stride, padding int) *Taps {
	if kernel < 1 || stride < 1 || max(kernel, stride) > maxConv || padding < 0 || padding > kernel/2 || from < 1 || from+2*padding < kernel {
		panic(&ShapeError{Op: "WindowTaps", Shapes: []Shape{{from}, {kernel, stride, padding}},
			Reason: "want a window within the input and its padding, which is at most half the window"})
	}
	return newTaps("WindowTaps", from, (from+2*padding-kernel)/stride+1, func(i int) (int, []float64) {
		first := i*stride - padding
		end := min(first+kernel, from)
		first = max(first, 0)
		return first, equalWeights(end-first, kernel)
	})
}

// equalWeights are n times 1/of.
func equalWeights(n, of int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = 1 / float64(of)
	}
	return w
}

// Sizes returns the number of cells that t maps from and to.
func (t *Taps) Sizes() (from, to int) { return t.from, t.to }

// Transpose returns the map by which gradients go back.
func (t *Taps) Transpose() *Taps {
	lo, hi := make([]int, t.from), make([]int, t.from) // the outputs that use an input are neighbours, since first and last inputs ascend
	for i := range t.to {
		first, n := int(t.first[i]), int(t.start[i+1]-t.start[i])
		for j := first; j < first+n; j++ {
			if hi[j] == 0 {
				lo[j] = i
			}
			hi[j] = i + 1
		}
	}
	return newTaps("Transpose", t.to, t.from, func(j int) (int, []float64) {
		var weights []float64
		for i := lo[j]; i < hi[j]; i++ {
			weights = append(weights, float64(t.weights[int(t.start[i])+j-int(t.first[i])]))
		}
		return lo[j], weights
	})
}

// upload returns the tables of ResampleArgs, which live until the end of the call.
func (c *call) upload(t *Taps) (bands, weights *Tensor) {
	table := make([]int32, 2*(t.to+1))
	for i := range t.to {
		table[2*i], table[2*i+1] = t.first[i], t.start[i]
	}
	table[2*t.to+1] = t.start[t.to]
	bands = newTensor(c.dev, c.op, Int32, t.to+1, 2)
	weights = newTensor(c.dev, c.op, Float32, len(t.weights))
	c.temps = append(c.temps, bands, weights)
	bands.UploadInts(table)
	weights.Upload(t.weights)
	return bands, weights
}

// Resample maps the rows and the columns of x [B, C, H, W]. The result is [B, C, H', W']. It panics when rows does not map from H cells, or cols from W.
func Resample(x *Tensor, rows, cols *Taps) *Tensor {
	c := begin("Resample", "x", x)
	defer c.end()
	c.must(len(x.shape) == 4, "want x [B, C, H, W]", x.shape)
	x = c.f32(x)
	if rows == nil || cols == nil {
		panic(&Error{Op: c.op, Reason: "rows or cols is nil"})
	}
	c.must(x.shape[2] == rows.from && x.shape[3] == cols.from, "want x [B, C, H, W] and taps from H and W", x.shape,
		Shape{rows.from, cols.from})
	planes := x.shape[0] * x.shape[1]
	axis := func(dst, src *Tensor, t *Taps, outer, inner int) {
		bands, weights := c.upload(t)
		a := ResampleArgs{Dst: dst, Src: src, Bands: bands, Weights: weights, Outer: outer, From: t.from, To: t.to, Inner: inner}
		c.run(func(o Ops) { o.Resample(a) })
	}
	y := c.out(x.shape[0], x.shape[1], rows.to, cols.to)
	switch {
	case rows.identity && cols.identity:
		c.run(func(o Ops) { o.Copy(y, x) })
	case rows.identity:
		axis(y, x, cols, planes*rows.from, 1)
	case cols.identity:
		axis(y, x, rows, planes, cols.from)
	case rows.to < rows.from: // the fewer lines are left for the columns, the better
		between := c.temp(planes * rows.to * cols.from)
		axis(between, x, rows, planes, cols.from)
		axis(y, between, cols, planes*rows.to, 1)
	default:
		between := c.temp(planes * rows.from * cols.to)
		axis(between, x, cols, planes*rows.from, 1)
		axis(y, between, rows, planes, cols.to)
	}
	return y
}

// temp is a new Float32 tensor that lives until the end of the call.
func (c *call) temp(size int) *Tensor {
	t := newTensor(c.dev, c.op, Float32, size)
	c.temps = append(c.temps, t)
	return t
}
