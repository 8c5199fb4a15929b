package tensor

// loop is the iteration space of operands that have one shape and strides of their own, in as few axes as possible:
// axes of size 1 are dropped, and neighbours that every operand steps through evenly are merged.
type loop struct {
	shape   []int
	strides [][]int // strides[k][axis] of operand k
}

func newLoop(operands ...*Tensor) loop {
	l := loop{strides: make([][]int, len(operands))}
	for axis, size := range operands[0].shape {
		if size == 1 {
			continue
		}
		last := len(l.shape) - 1
		merge := last >= 0
		for k, t := range operands {
			merge = merge && l.strides[k][last] == t.strides[axis]*size
		}
		if merge {
			l.shape[last] *= size
			for k, t := range operands {
				l.strides[k][last] = t.strides[axis]
			}
			continue
		}
		l.shape = append(l.shape, size)
		for k, t := range operands {
			l.strides[k] = append(l.strides[k], t.strides[axis])
		}
	}
	if len(l.shape) == 0 {
		l.shape = []int{1}
		for k := range operands {
			l.strides[k] = []int{1}
		}
	}
	return l
}

// swap exchanges two axes.
func (l *loop) swap(i, j int) {
	l.shape[i], l.shape[j] = l.shape[j], l.shape[i]
	for _, s := range l.strides {
		s[i], s[j] = s[j], s[i]
	}
}

// walk calls f with the operands' offsets for steps lo … hi-1 through the first `axes` axes. f must not keep the slice.
func (l *loop) walk(axes, lo, hi int, f func(offsets []int)) {
	index, offsets := make([]int, axes), make([]int, len(l.strides))
	for axis, rest := axes-1, lo; axis >= 0; axis-- {
		index[axis] = rest % l.shape[axis]
		rest /= l.shape[axis]
		for k, s := range l.strides {
			offsets[k] += index[axis] * s[axis]
		}
	}
	for ; lo < hi; lo++ {
		f(offsets)
		for axis := axes - 1; axis >= 0; axis-- {
			index[axis]++
			for k, s := range l.strides {
				offsets[k] += s[axis]
			}
			if index[axis] < l.shape[axis] {
				break
			}
			index[axis] = 0
			for k, s := range l.strides {
				offsets[k] -= s[axis] * l.shape[axis]
			}
		}
	}
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

// copyTransposed copies square tiles, so that the side that jumps stays in cache: the last axis is dense on one side at most,
// and the axis that is densest on the other side becomes the tile's second.
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

// Binary applies op to each pair of elements.
func (c *cpuBackend) Binary(op BinaryOp, dst, a, b *Tensor) {
	if dst.Size() == 0 {
		return
	}
	v := c.vec
	f := [...]func(dst, a, b []float32){
		BinaryAdd: v.Add, BinarySub: v.Sub, BinaryMul: v.Mul, BinaryDiv: v.Div, BinaryMax: v.Max, BinaryMin: v.Min,
	}[op]
	l := newLoop(dst, a, b)
	d, x, y := f32s(dst), f32s(a), f32s(b)
	last := len(l.shape) - 1
	n := l.shape[last]
	sx, sy := l.strides[1][last], l.strides[2][last]
	if last == 0 && sx == 1 && sy == 1 {
		split(n, 1, func(lo, hi int) { f(d[lo:hi], x[lo:hi], y[lo:hi]) })
		return
	}
	if last == 0 { // one axis only: let tasks share it
		l = loop{shape: []int{ceilDiv(n, piece), piece}, strides: [][]int{{piece, 1}, {piece * sx, sx}, {piece * sy, sy}}}
		last = 1
	}
	split(Shape(l.shape[:last]).Size(), l.shape[last], func(lo, hi int) {
		buf, gathered := scratch(dst, 2*piece)
		defer buf.Release()
		l.walk(last, lo, hi, func(at []int) {
			for i := 0; i < l.shape[last]; i += piece {
				at0 := at[0] + i
				m := min(piece, l.shape[last]-i, dst.Size()-at0)
				f(d[at0:at0+m], dense(gathered[:m], x[at[1]+i*sx:], sx), dense(gathered[piece:piece+m], y[at[2]+i*sy:], sy))
			}
		})
	})
}

// piece is how many elements Binary gathers at a time.
const piece = 512

// dense returns len(buf) elements of x that stand stride apart: x itself when they are dense, else gathered in buf.
func dense(buf, x []float32, stride int) []float32 {
	switch stride {
	case 1:
		return x[:len(buf)]
	case 0:
		fill(buf, x[0])
	default:
		for i := range buf {
			buf[i] = x[i*stride]
		}
	}
	return buf
}
