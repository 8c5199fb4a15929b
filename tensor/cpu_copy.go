package tensor

import "math"

// fill sets every element of x to v.
func fill(x []float32, v float32) {
	if math.Float32bits(v) == 0 {
		clear(x)
		return
	}
	head := min(len(x), 256)
	for i := range x[:head] {
		x[i] = v
	}
	for n := head; n > 0 && n < len(x); n *= 2 {
		copy(x[n:], x[:n])
	}
}

// Fill sets every element to v.
func (c *cpuBackend) Fill(dst *Tensor, v float32) {
	d := f32(dst)
	split(len(d), 1, func(lo, hi int) { fill(d[lo:hi], v) })
}

// Copy copies between any strides.
func (c *cpuBackend) Copy(dst, src *Tensor) {
	if dst.Size() == 0 {
		return
	}
	l := newLoop(dst, src)
	if dst.dtype == BFloat16 {
		copyLoop(l, u16s(dst), u16s(src))
	} else {
		copyLoop(l, f32s(dst), f32s(src))
	}
}

func copyLoop[T any](l loop, dst, src []T) {
	last := len(l.shape) - 1
	n := l.shape[last]
	if l.strides[0][last] == 1 && l.strides[1][last] == 1 {
		copyRuns(l, dst, src)
		return
	}
	if last == 0 {
		copyTile(dst, src, 1, n, [2]int{0, l.strides[0][0]}, [2]int{0, l.strides[1][0]})
		return
	}
	copyTransposed(l, dst, src)
}

// copyRuns copies runs that are contiguous on both sides.
func copyRuns[T any](l loop, dst, src []T) {
	last := len(l.shape) - 1
	n := l.shape[last]
	if last == 0 {
		split(n, 1, func(lo, hi int) { copy(dst[lo:hi], src[lo:hi]) })
		return
	}
	split(Shape(l.shape[:last]).Size(), n, func(lo, hi int) {
		l.walk(last, lo, hi, func(at []int) { copy(dst[at[0]:at[0]+n], src[at[1]:at[1]+n]) })
	})
}

// copyTransposed copies square tiles, so that the side with large strides stays in cache. The last axis is dense on one side at most. The
// axis that is densest on the other side becomes the second axis of the tile.
func copyTransposed[T any](l loop, dst, src []T) {
	const tile = 16
	last := len(l.shape) - 1
	sparse := l.strides[1]
	if sparse[last] == 1 {
		sparse = l.strides[0]
	}
	densest := 0
	for axis := range last {
		if sparse[axis] < sparse[densest] {
			densest = axis
		}
	}
	l.swap(densest, last-1)
	rows, cols := l.shape[last-1], l.shape[last]
	ds := [2]int{l.strides[0][last-1], l.strides[0][last]}
	ss := [2]int{l.strides[1][last-1], l.strides[1][last]}
	bands := ceilDiv(rows, tile)
	split(Shape(l.shape[:last-1]).Size()*bands, tile*cols, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r := i % bands * tile
			l.walk(last-1, i/bands, i/bands+1, func(at []int) {
				for col := 0; col < cols; col += tile {
					copyTile(dst[at[0]+r*ds[0]+col*ds[1]:], src[at[1]+r*ss[0]+col*ss[1]:],
						min(tile, rows-r), min(tile, cols-col), ds, ss)
				}
			})
		}
	})
}

// copyTile copies rows x cols elements; ds and ss are the strides of rows and columns.
func copyTile[T any](dst, src []T, rows, cols int, ds, ss [2]int) {
	for r := range rows {
		d, s := r*ds[0], r*ss[0]
		for range cols {
			dst[d] = src[s]
			d += ds[1]
			s += ss[1]
		}
	}
}

// Cast converts between Float32 and BFloat16 or Int32.
func (c *cpuBackend) Cast(dst, src *Tensor) {
	split(dst.Size(), 1, func(lo, hi int) {
		switch {
		case dst.dtype == Int32:
			toInts(i32(dst)[lo:hi], f32(src)[lo:hi])
		case src.dtype == Int32:
			d := f32(dst)
			for i, v := range i32(src)[lo:hi] {
				d[lo+i] = float32(v)
			}
		case dst.dtype == BFloat16:
			c.vec.ToBFloat16(u16(dst)[lo:hi], f32(src)[lo:hi])
		default:
			c.vec.FromBFloat16(f32(dst)[lo:hi], u16(src)[lo:hi])
		}
	})
}

// toInts rounds towards 0; what is beyond Int32 becomes the nearest Int32, and NaN 0.
func toInts(dst []int32, src []float32) {
	for i, v := range src {
		switch {
		case v != v:
			dst[i] = 0
		case v >= 1<<31:
			dst[i] = math.MaxInt32
		case v <= -1<<31:
			dst[i] = math.MinInt32
		default:
			dst[i] = int32(v)
		}
	}
}

// Flip copies runs of inner elements in reverse order, as the bits that they are.
func (c *cpuBackend) Flip(dst, x *Tensor, outer, n, inner int) {
	d, s := i32s(dst), i32s(x)
	split(outer, n*inner, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			to, from := d[o*n*inner:(o+1)*n*inner], s[o*n*inner:(o+1)*n*inner]
			for i := range n {
				copy(to[i*inner:(i+1)*inner], from[(n-1-i)*inner:])
			}
		}
	})
}
