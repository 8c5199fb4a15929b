package tensor

import "math"

// Reduce applies op along the middle axis of x [outer, n, inner].
func (c *cpuBackend) Reduce(op ReduceOp, dst, x *Tensor, outer, n, inner int) {
	d, s := f32(dst), f32(x)
	if inner == 1 {
		split(outer, n, func(lo, hi int) {
			for o := lo; o < hi; o++ {
				row := s[o*n : (o+1)*n]
				if op == ReduceMax {
					d[o] = c.vec.MaxValue(row)
				} else {
					d[o] = float32(c.sum(row))
				}
			}
		})
	} else {
		c.reduceColumns(op, dst, s, outer, n, inner)
	}
	if op == ReduceMean {
		split(len(d), 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				d[i] /= float32(n)
			}
		})
	}
}

// sum adds up x: pieces of fixed length in float32, their sums in float64, in order. Long ones are summed in parallel.
func (c *cpuBackend) sum(x []float32) float64 {
	const length = 4096
	if len(x) <= length {
		return float64(c.vec.Sum(x))
	}
	return sumRows(len(x), 1, func(lo, hi int) float64 {
		total := 0.0
		for ; lo < hi; lo += length {
			total += float64(c.vec.Sum(x[lo:min(hi, lo+length)]))
		}
		return total
	})
}

// reduceColumns combines n rows of inner elements for each o. How n is cut depends on n alone.
func (c *cpuBackend) reduceColumns(op ReduceOp, dst *Tensor, x []float32, outer, n, inner int) {
	combine, start := c.vec.Add, float32(0)
	if op == ReduceMax {
		combine, start = c.vec.Max, float32(math.Inf(-1))
	}
	const strip, run = 2048, 256 // columns and at least rows of one task
	runs := max(1, min(maxBlocks, n/run))
	length := ceilDiv(n, runs)
	d := f32(dst)
	parts := d
	if runs > 1 {
		t, buf := scratch(dst, outer*runs*inner)
		defer t.Release()
		parts = buf
	}
	strips := ceilDiv(inner, strip)
	each(outer*runs*strips, length*min(inner, strip), func(i int) {
		part, lo := i/strips, i%strips*strip
		hi := min(inner, lo+strip)
		o, first := part/runs, part%runs*length
		to := parts[part*inner+lo : part*inner+hi]
		fill(to, start)
		for r := first; r < min(n, first+length); r++ {
			row := (o*n + r) * inner
			combine(to, to, x[row+lo:row+hi])
		}
	})
	if runs == 1 {
		return
	}
	split(outer, runs*inner, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			to := d[o*inner : (o+1)*inner]
			copy(to, parts[o*runs*inner:])
			for r := 1; r < runs; r++ {
				combine(to, to, parts[(o*runs+r)*inner:(o*runs+r+1)*inner])
			}
		}
	})
}

// CumSum adds up a few columns at a time, in float64.
func (c *cpuBackend) CumSum(dst, x *Tensor, outer, n, inner int, reverse bool) {
	const strip = 64
	if inner == 0 {
		return
	}
	d, s := f32(dst), f32(x)
	strips := ceilDiv(inner, strip)
	split(outer*strips, n*min(inner, strip), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			var sums [strip]float64
			first, width := i/strips*n*inner+i%strips*strip, min(strip, inner-i%strips*strip)
			for r := range n {
				row := first + r*inner
				if reverse {
					row = first + (n-1-r)*inner
				}
				for j, v := range s[row : row+width] {
					sums[j] += float64(v)
					d[row+j] = float32(sums[j])
				}
			}
		}
	})
}

// ArgMax finds the first maximum of each row.
func (c *cpuBackend) ArgMax(dst, x *Tensor) {
	k := x.shape[1]
	d, s := i32(dst), f32(x)
	split(len(d), k, func(lo, hi int) {
		for m := lo; m < hi; m++ {
			row := s[m*k : (m+1)*k]
			top := c.vec.MaxValue(row)
			d[m] = 0
			for i, v := range row {
				if v == top {
					d[m] = int32(i)
					break
				}
			}
		}
	})
}

// TopK inserts each element of a row into the list of the largest so far.
func (c *cpuBackend) TopK(values, index, x *Tensor) {
	k := values.shape[1]
	v, at, s := f32(values), i32(index), f32(x)
	if k == 0 {
		return
	}
	c.rows(x, func(lo, hi, n int) {
		for m := lo; m < hi; m++ {
			topK(v[m*k:(m+1)*k], at[m*k:(m+1)*k], s[m*n:(m+1)*n])
		}
	})
}

// topK fills values and index with the largest elements of row, largest first.
func topK(values []float32, index []int32, row []float32) {
	held := 0
	for i, x := range row {
		place := held
		for place > 0 && larger(x, values[place-1]) {
			place--
		}
		if place == len(values) {
			continue
		}
		held = min(held+1, len(values))
		copy(values[place+1:held], values[place:])
		copy(index[place+1:held], index[place:])
		values[place], index[place] = x, int32(i)
	}
}

// larger reports whether a > b, where NaN is larger than any number.
func larger(a, b float32) bool { return a > b || a != a && b == b }

// Softmax of each row; dst may be x.
func (c *cpuBackend) Softmax(dst, x *Tensor, log bool) {
	c.rows(x, func(lo, hi, k int) {
		d, s := f32(dst), f32(x)
		var buf []float32 // of the exponentials, whose sum the logarithm needs
		if log {
			t, room := scratch(x, k)
			defer t.Release()
			buf = room
		}
		for at := lo * k; at < hi*k; at += k {
			y, row := d[at:at+k], s[at:at+k]
			top := c.vec.MaxValue(row)
			if log {
				sum := c.vec.ExpSum(buf, row, top)
				c.vec.Affine(y, row, 1, -top)
				c.vec.Affine(y, y, 1, float32(-math.Log(float64(sum))))
				continue
			}
			sum := c.vec.ExpSum(y, row, top)
			c.vec.Affine(y, y, 1/sum, 0)
		}
	})
}

// SoftmaxGrad: dx = y·(dy − Σ dy·y) for each row, or with log dx = dy − exp(y)·Σ dy.
func (c *cpuBackend) SoftmaxGrad(dx, dy, y *Tensor, log bool) {
	c.rows(y, func(lo, hi, k int) {
		d, g, s := f32(dx), f32(dy), f32(y)
		var buf []float32 // of the exponentials
		if log {
			t, room := scratch(y, k)
			defer t.Release()
			buf = room
		}
		for at := lo * k; at < hi*k; at += k {
			if !log {
				c.vec.SoftmaxGrad(d[at:at+k], g[at:at+k], s[at:at+k])
				continue
			}
			c.vec.ExpSum(buf, s[at:at+k], 0)
			c.vec.Affine(buf, buf, -c.vec.Sum(g[at:at+k]), 0)
			c.vec.Add(d[at:at+k], g[at:at+k], buf)
		}
	})
}
