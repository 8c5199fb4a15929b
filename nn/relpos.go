package nn

import (
	"sync"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// RelPosRows returns the number of rows of a relative position bias table for a window. There is one row for each offset between two
// patches, and three for pairs with the class token.
func RelPosRows(rows, cols int) int { return (2*rows-1)*(2*cols-1) + 3 }

// RelPosIndex returns the row of the table for each pair (query, key) of the 1 + rows·cols tokens, row-major. Token 0 is the class token.
// The last three rows of the table are for class to patch, patch to class, and class to class.
func RelPosIndex(rows, cols int) []int32 {
	n, t := 1+rows*cols, RelPosRows(rows, cols)
	index := make([]int32, n*n)
	for q := 1; q < n; q++ {
		for k := 1; k < n; k++ {
			dr := (q-1)/cols - (k-1)/cols + rows - 1
			dc := (q-1)%cols - (k-1)%cols + cols - 1
			index[q*n+k] = int32(dr*(2*cols-1) + dc)
		}
	}
	for k := 1; k < n; k++ {
		index[k] = int32(t - 3)
		index[k*n] = int32(t - 2)
	}
	index[0] = int32(t - 1)
	return index
}

// RelPosBias is a learned bias on attention logits that depends only on the offset between query and key.
type RelPosBias struct {
	Table      *Param // [RelPosRows, H]
	Rows, Cols int    // the window, in patches

	mu    sync.Mutex
	index *tensor.Tensor // Int32 [(N+1)²], on the table's device
}

// NewRelPosBias declares a relative position bias with the parameter "relative_position_bias_table", initially 0.
func NewRelPosBias(s Scope, rows, cols, heads int) *RelPosBias {
	b := &RelPosBias{
		Table: s.Param("relative_position_bias_table", Zeros, RelPosRows(rows, cols), heads), Rows: rows, Cols: cols,
	}
	b.Table.Rows = rows
	s.set.derived = append(s.set.derived, b.release)
	return b
}

// release releases the index.
func (b *RelPosBias) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.index != nil {
		b.index.Release()
		b.index = nil
	}
}

// Forward returns the bias [H, N+1, N+1].
func (b *RelPosBias) Forward(c Context) *autograd.Var {
	n, heads := 1+b.Rows*b.Cols, b.Table.Shape[1]
	pairs := autograd.GatherRows(b.Table.Var(c.Tape), b.deviceIndex()) // [(N+1)², H]
	return autograd.Reshape(autograd.Permute(pairs, 1, 0), heads, n, n)
}

// deviceIndex uploads the index once.
func (b *RelPosBias) deviceIndex() *tensor.Tensor {
	b.mu.Lock()
	defer b.mu.Unlock()
	if dev := b.Table.Value.Device(); b.index == nil || b.index.Device() != dev {
		index := RelPosIndex(b.Rows, b.Cols)
		b.index = tensor.FromInts(dev, index, len(index))
	}
	return b.index
}
