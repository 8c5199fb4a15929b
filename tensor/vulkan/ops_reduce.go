//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// longRow is the length from which a row is summed in pieces, by several workgroups.
const longRow = 1 << 14

// Reduce applies op along the middle axis of x [outer, n, inner]. Where rows are cut depends on n alone.
func (b *backend) Reduce(op tensor.ReduceOp, dst, x *tensor.Tensor, outer, n, inner int) {
	if outer*inner == 0 {
		return
	}
	if n == 0 { // Sum and Mean of nothing are 0 and NaN, Max is -Inf, as the shaders make them
		b.Fill(dst, [...]float32{tensor.ReduceSum: 0, tensor.ReduceMean: nan, tensor.ReduceMax: -infinity}[op])
		return
	}
	divisor := float32(1)
	if op == tensor.ReduceMean {
		divisor = float32(n)
	}
	if inner == 1 {
		b.reduceRows(op == tensor.ReduceMax, write(dst), read(x), outer, n, divisor)
		return
	}
	b.rows(outer, n*inner, func(lo, m int) {
		b.reduceCols(op == tensor.ReduceMax, write(dst).rows(lo, m, inner), read(x).rows(lo, m, n*inner), m, n, inner, divisor, false)
	})
}

// reduceRows reduces each of m rows of n elements; a sum is divided by divisor.
func (b *backend) reduceRows(maximum bool, dst, x arg, m, n int, divisor float32) {
	pieces, length := 1, n
	to, by := dst, divisor
	if n > longRow {
		pieces, length = div(n, longRow), longRow
		to, by = b.temp(m*pieces), 1
	}
	spec := []uint32{word(maximum)}
	step := 0
	// A part holds whole rows, or where a row is too large for that, whole pieces of one row.
	b.rows(m*pieces, length, func(lo, count int) {
		step = max(step, count)
	})
	if step < pieces {
		for row := range m {
			for lo := 0; lo < pieces; lo += step {
				count := min(step, pieces-lo)
				width := min(count*length, n-lo*length)
				b.dispatch(shaders.ReduceRows, spec, flat(count), []uint32{u(count), u(width), u(count), u(length), f(by)},
					to.part(row*pieces+lo, count), x.part(row*n+lo*length, width))
			}
		}
	} else {
		b.rows(m, n, func(lo, count int) {
			b.dispatch(shaders.ReduceRows, spec, flat(count*pieces), []uint32{u(count * pieces), u(n), u(pieces), u(length), f(by)},
				to.part(lo*pieces, count*pieces), x.part(lo*n, count*n))
		})
	}
	if pieces > 1 {
		b.reduceRows(maximum, dst, to.read(), m, pieces, divisor)
	}
}

// reduceCols reduces over n rows of inner elements for each of outer. With add the result comes on top of dst. Many columns keep a device busy in one
// dispatch, of which each workgroup does few; else there is one for the pieces of columns first.
func (b *backend) reduceCols(maximum bool, dst, x arg, outer, n, inner int, divisor float32, add bool) {
	const many = 2048
	pieces, length := columnPieces(n)
	whole := pieces > 1 && outer*inner >= many && n <= reduceLanes*b.caps.maxTurns
	if pieces > 1 && !whole {
		parts := b.temp(outer * pieces * inner)
		b.dispatch(shaders.ReduceCols, []uint32{word(maximum), 0}, flat(div(outer*pieces*inner, threads)),
			[]uint32{u(outer), u(n), u(inner), u(pieces), u(length), 0, f(1)}, parts, x)
		x, n, pieces, length = parts.read(), pieces, 1, pieces
	}
	columns := threads
	if whole {
		columns = threads / reduceLanes
	}
	b.dispatch(shaders.ReduceCols, []uint32{word(maximum), word(whole)}, flat(div(outer*inner, columns)),
		[]uint32{u(outer), u(n), u(inner), u(pieces), u(length), word(add), f(divisor)}, dst, x)
}

// reduceLanes is how many invocations shaders/reduce_cols.comp has for a column that it reduces whole.
const reduceLanes = 8

// mostPieces is into how many pieces the rows of a column are cut at most, unless a piece would have more than mostTurns rows.
const mostPieces = 64

// columnPieces is how n rows are cut where columns are reduced: in pieces of length rows, by n alone.
func columnPieces(n int) (pieces, length int) {
	const run = 64
	length = max(1, min(mostTurns, div(n, max(1, min(mostPieces, n/run)))))
	return div(n, length), length
}

// CumSum adds up each column, in parts: a driver may end an invocation after 65535 turns of its loops, which take 9 for each 128 elements.
func (b *backend) CumSum(dst, x *tensor.Tensor, outer, n, inner int, reverse bool) {
	const most = 1 << 19
	b.rows(outer, n*inner, func(lo, m int) {
		for from := 0; from < n; from += most {
			b.dispatch(shaders.CumSum, []uint32{word(reverse)}, flat(m*inner), []uint32{u(m * inner), u(n), u(inner), u(from), u(min(n, from+most))},
				update(dst).rows(lo, m, n*inner), read(x).rows(lo, m, n*inner))
		}
	})
}

// ArgMax finds the first maximum of each row.
func (b *backend) ArgMax(dst, x *tensor.Tensor) {
	m, k := x.Shape()[0], x.Shape()[1]
	b.rows(m, k, func(lo, n int) {
		b.dispatch(shaders.ArgMax, nil, flat(n), []uint32{u(n), u(k)}, write(dst).rows(lo, n, 1), read(x).rows(lo, n, k))
	})
}

// TopK passes over a row once for each of the largest.
func (b *backend) TopK(values, index, x *tensor.Tensor) {
	m, n, k := x.Shape()[0], x.Shape()[1], values.Shape()[1]
	if k == 0 {
		return
	}
	// A driver may end an invocation after 65535 turns of its loops: a pass takes one for each element that it has, and some for the tree.
	passes := max(1, 40000/(div(n, threads)+16))
	unit := 8 * float64(n) * float64(min(k, passes))
	b.rows(m, n, func(first, rows int) {
		b.pieces(rows, unit, func(lo, rows int) {
			lo += first
			for from := 0; from < k; from += passes {
				b.weigh(unit * float64(rows))
				b.dispatch(shaders.TopK, nil, flat(rows), []uint32{u(rows), u(n), u(k), u(from), u(min(k, from+passes))},
					update(values).rows(lo, rows, k), update(index).rows(lo, rows, k), read(x).rows(lo, rows, n))
			}
		})
	})
}

// Softmax of each row.
func (b *backend) Softmax(dst, x *tensor.Tensor, log bool) {
	m, k := x.Shape()[0], x.Shape()[1]
	b.rows(m, k, func(lo, n int) {
		b.dispatch(shaders.Softmax, []uint32{word(log)}, flat(n), []uint32{u(n), u(k)}, update(dst).rows(lo, n, k), read(x).rows(lo, n, k))
	})
}

// SoftmaxGrad: dx = y·(dy − Σ dy·y) for each row, or with log dx = dy − exp(y)·Σ dy.
func (b *backend) SoftmaxGrad(dx, dy, y *tensor.Tensor, log bool) {
	m, k := y.Shape()[0], y.Shape()[1]
	b.rows(m, k, func(lo, n int) {
		b.dispatch(shaders.SoftmaxGrad, []uint32{word(log)}, flat(n), []uint32{u(n), u(k)}, write(dx).rows(lo, n, k), read(dy).rows(lo, n, k), read(y).rows(lo, n, k))
	})
}
