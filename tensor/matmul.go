package tensor

// MatMul returns the matmul a·b over the last two axes, [.., M, K] x [.., K, N]. Leading axes are broadcast. Transposed views (T) are
// used without a copy. A vector [K] stands for one row as a, for one column as b, and the result lacks that axis, as torch.matmul has it.
func MatMul(a, b *Tensor) *Tensor {
	c := begin("MatMul", "a, b", a, b)
	defer c.end()
	dst := c.out(c.matmulShape(a, b)...)
	c.matmul(dst, a, b, false, Highest)
	return dst
}

// MatMulShape returns the shape of MatMul(a, b), and panics as MatMul does.
func MatMulShape(a, b *Tensor) Shape { return begin("MatMul", "a, b", a, b).matmulShape(a, b) }

// MatMulInto writes the matmul a·b to dst, or with add adds it. dst is contiguous. Sharing elements with a or b panics.
func MatMulInto(dst, a, b *Tensor, add bool, p Precision) {
	c := begin("MatMulInto", "dst, a, b", dst, a, b)
	defer c.end()
	c.must(dst.shape.Equal(c.matmulShape(a, b)), "the result has another shape", a.shape, b.shape, dst.shape)
	c.matmul(dst, a, b, add, p)
}

// matmulShape checks the factors of a matmul and returns the shape of the result.
func (c *call) matmulShape(a, b *Tensor) Shape {
	c.must(len(a.shape) > 0 && len(b.shape) > 0, "want at least one axis", a.shape, b.shape)
	va, vb := a, b
	a, b = matrices(a, b)
	c.must(a.Dim(-1) == b.Dim(-2), "inner sizes differ", va.shape, vb.shape)
	batch, ok := Broadcast(a.shape[:len(a.shape)-2], b.shape[:len(b.shape)-2])
	c.must(ok, "leading axes are not broadcastable", a.shape, b.shape)
	mustf(a.dtype == Float32 && b.dtype == Float32, c.op, []Shape{va.shape, vb.shape}, "dtypes %v and %v, want float32", a.dtype, b.dtype)
	shape := batch
	if len(va.shape) > 1 {
		shape = append(shape, a.Dim(-2))
	}
	if len(vb.shape) > 1 {
		shape = append(shape, b.Dim(-1))
	}
	return shape
}

// matrices returns the factors of a matmul with a vector made a row of a, or a column of b.
func matrices(a, b *Tensor) (x, y *Tensor) {
	if len(a.shape) == 1 {
		a = a.view("MatMul", Shape{1, a.shape[0]}, []int{1, a.strides[0]}, a.offset)
	}
	if len(b.shape) == 1 {
		b = b.view("MatMul", Shape{b.shape[0], 1}, []int{b.strides[0], 1}, b.offset)
	}
	return a, b
}

// matmul computes dst, whose shape matmulShape gave.
func (c *call) matmul(dst, a, b *Tensor, add bool, p Precision) {
	dst.inPlace(c.op, Float32)
	a, b = matrices(a, b)
	m, k, n := a.Dim(-2), a.Dim(-1), b.Dim(-1)
	batch, _ := Broadcast(a.shape[:len(a.shape)-2], b.shape[:len(b.shape)-2])
	size := batch.Size()
	x, y := c.batched(a, batch, m, k), c.batched(b, batch, k, n)
	c.apart(dst, x, y)
	to := dst.Reshape(size, m, n)
	c.runAt(p, float64(size)*matmul(m, k, n), func(o Ops) { o.MatMul(to, x, y, add, p) })
}

// batched returns t as [size of batch, r, s] with stride 1 on one of the last two axes.
func (c *call) batched(t *Tensor, batch Shape, r, s int) *Tensor {
	last := len(t.shape) - 1
	if t.strides[last] != 1 && t.strides[last-1] != 1 || !uniform(t.shape[:last-1], t.strides[:last-1]) {
		t = c.copied(t)
	}
	if !Shape(t.shape[:last-1]).Equal(batch) && t.shape[:last-1].Size() != 1 {
		t = c.copied(t.Expand(append(batch[:len(batch):len(batch)], r, s)...))
		last = len(t.shape) - 1
	}
	stride := 0
	if t.shape[:last-1].Size() > 1 {
		for i := last - 2; i >= 0; i-- {
			if t.shape[i] > 1 {
				stride = t.strides[i]
				break
			}
		}
	}
	return t.view(c.op, Shape{batch.Size(), r, s}, []int{stride, t.strides[last-1], t.strides[last]}, t.offset)
}

// uniform reports whether the axes can be walked as one axis with one stride.
func uniform(shape Shape, strides []int) bool {
	next := -1 // what the stride of the axis before must be
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 1 {
			continue
		}
		if next >= 0 && strides[i] != next {
			return false
		}
		next = strides[i] * shape[i]
	}
	return true
}
