package tensor

import "github.com/gobeit/gobeit/tensor/internal/pool"

const (
	// grain is about how many elements one task works on. Less than that is not worth another goroutine.
	grain = 32 << 10
	// maxBlocks bounds the partial results of a reduction over rows.
	maxBlocks = 32
)

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// split calls f for consecutive ranges that cover [0, n), in parallel. An item costs about width elements.
func split(n, width int, f func(lo, hi int)) {
	step := max(1, grain/max(width, 1))
	if n <= step {
		if n > 0 {
			f(0, n)
		}
		return
	}
	pool.Run(ceilDiv(n, step), func(i int) { f(i*step, min(n, (i+1)*step)) })
}

// each calls f(0) … f(n-1), in parallel when there is enough to do. A call costs about width elements.
func each(n, width int, f func(i int)) {
	if n*width > grain {
		pool.Run(n, f)
		return
	}
	for i := range n {
		f(i)
	}
}

// blocks cuts m rows of the given width into count ranges of size rows (the last may be shorter).
// It depends on the shape alone, so sums of partial results have the same bits on any number of threads.
func blocks(m, width int) (count, size int) {
	count = min(maxBlocks, max(1, m*width/grain))
	size = max(1, ceilDiv(m, count))
	return ceilDiv(m, size), size
}

// reduceRows sums over m rows of the given width. f adds rows lo … hi-1 to part, n floats that start as zeros, and the parts are added in
// order. Release the returned tensor after use.
func (c *cpuBackend) reduceRows(like *Tensor, m, width, n int, f func(lo, hi int, part []float32)) (*Tensor, []float32) {
	count, size := blocks(m, width)
	count = max(count, 1)
	t, parts := scratch(like, count*n)
	each(count, size*width, func(i int) {
		part := parts[i*n : (i+1)*n]
		clear(part)
		f(min(m, i*size), min(m, (i+1)*size), part)
	})
	sum := parts[:n]
	for i := 1; i < count; i++ {
		c.vec.Add(sum, sum, parts[i*n:(i+1)*n])
	}
	return t, sum
}

// store writes x where g says.
func (c *cpuBackend) store(g Grad, x []float32) {
	switch {
	case g.To == nil:
	case g.Add:
		c.vec.Add(f32(g.To), f32(g.To), x)
	default:
		copy(f32(g.To), x)
	}
}

// rows splits the rows of x [M, K] among tasks; f gets K too.
func (c *cpuBackend) rows(x *Tensor, f func(lo, hi, k int)) {
	if k := x.shape[1]; k > 0 {
		split(x.shape[0], 4*k, func(lo, hi int) { f(lo, hi, k) })
	}
}

// sumRows adds up f(row) over m rows of the given width in float64, blocks of rows in parallel and the blocks' sums in order.
func sumRows(m, width int, f func(lo, hi int) float64) float64 {
	count, size := blocks(m, width)
	parts := make([]float64, count)
	each(count, size*width, func(i int) { parts[i] = f(i*size, min(m, (i+1)*size)) })
	total := 0.0
	for _, p := range parts {
		total += p
	}
	return total
}
