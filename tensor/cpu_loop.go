package tensor

// loop is the iteration space of operands that have one shape and different strides, in as few axes as possible. Axes of size 1 are
// dropped. Adjacent axes with matching strides in every operand are merged.
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
