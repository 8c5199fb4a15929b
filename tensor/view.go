package tensor

import "slices"

// view returns a tensor that shares t's memory.
func (t *Tensor) view(op string, shape Shape, strides []int, offset int) *Tensor {
	t.live(op)
	return &Tensor{st: t.st, dtype: t.dtype, shape: shape, strides: strides, offset: offset, op: op}
}

// axis resolves a negative axis and checks its range.
func (t *Tensor) axis(op string, axis int) int {
	t.given(op)
	a := axis
	if a < 0 {
		a += len(t.shape)
	}
	mustf(a >= 0 && a < len(t.shape), op, []Shape{t.shape}, "no axis %d", axis)
	return a
}

// T returns a view with the last two axes swapped.
func (t *Tensor) T() *Tensor { return t.transpose("T", -2, -1) }

// Transpose returns a view with two axes swapped.
func (t *Tensor) Transpose(a, b int) *Tensor { return t.transpose("Transpose", a, b) }

// transpose is Transpose for a call of op.
func (t *Tensor) transpose(op string, a, b int) *Tensor {
	a, b = t.axis(op, a), t.axis(op, b)
	shape, strides := slices.Clone(t.shape), slices.Clone(t.strides)
	shape[a], shape[b] = shape[b], shape[a]
	strides[a], strides[b] = strides[b], strides[a]
	return t.view(op, shape, strides, t.offset)
}

// Permute returns a view whose axis i is axis order[i] of t.
func (t *Tensor) Permute(order ...int) *Tensor {
	t.given("Permute")
	mustf(len(order) == len(t.shape), "Permute", []Shape{t.shape, order}, "want every axis once")
	shape, strides := make(Shape, len(order)), make([]int, len(order))
	seen := make([]bool, len(order))
	for i, a := range order {
		a = t.axis("Permute", a)
		mustf(!seen[a], "Permute", []Shape{t.shape, order}, "want every axis once")
		seen[a] = true
		shape[i], strides[i] = t.shape[a], t.strides[a]
	}
	return t.view("Permute", shape, strides, t.offset)
}

// Reshape returns a view of a contiguous tensor with another shape of the same size. One size may be -1, and is then inferred. A non-
// contiguous view must be made contiguous first (Contiguous).
func (t *Tensor) Reshape(shape ...int) *Tensor {
	t.given("Reshape")
	s := slices.Clone(Shape(shape))
	if i := slices.Index(s, -1); i >= 0 {
		s[i] = 1
		if rest := s.Size(); rest > 0 {
			s[i] = t.Size() / rest
		}
	}
	mustf(!slices.ContainsFunc(s, func(d int) bool { return d < 0 }) && s.checked("Reshape").Size() == t.Size(),
		"Reshape", []Shape{t.shape, shape}, "sizes differ")
	mustf(t.IsContiguous(), "Reshape", []Shape{t.shape, shape}, "the tensor is a view with gaps; make it Contiguous first")
	return t.view("Reshape", s, s.rowMajor(), t.offset)
}

// Slice returns a view of the elements lo … hi-1 along an axis.
func (t *Tensor) Slice(axis, lo, hi int) *Tensor {
	axis = t.axis("Slice", axis)
	mustf(0 <= lo && lo <= hi && hi <= t.shape[axis], "Slice", []Shape{t.shape}, "range %d:%d on axis %d", lo, hi, axis)
	shape := slices.Clone(t.shape)
	shape[axis] = hi - lo
	offset := t.offset
	if hi > lo { // an empty view needs no place, and the one behind the last element may lie outside the buffer
		offset += lo * t.strides[axis]
	}
	return t.view("Slice", shape, t.strides, offset)
}

// Expand returns a view broadcast to shape. Axes of size 1 and missing leading axes repeat with stride 0.
func (t *Tensor) Expand(shape ...int) *Tensor {
	t.given("Expand")
	s := Shape(shape).checked("Expand")
	common, ok := Broadcast(t.shape, s)
	mustf(ok && common.Equal(s), "Expand", []Shape{t.shape, s}, "not broadcastable")
	strides := make([]int, len(s))
	for i := range t.shape {
		if j := len(s) - len(t.shape) + i; t.shape[i] == s[j] {
			strides[j] = t.strides[i]
		}
	}
	return t.view("Expand", s, strides, t.offset)
}
