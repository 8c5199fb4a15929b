package nn

import (
	"slices"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Embedding is a table of vectors.
type Embedding struct {
	W *Param // [n, d]
}

// NewEmbedding declares a table of n vectors of width d with the parameter "weight". PyTorch's default is init TruncNormal(1, -∞, ∞).
func NewEmbedding(s Scope, n, d int, init Init) *Embedding {
	return &Embedding{W: s.Param("weight", init, n, d)}
}

// Forward returns the vectors [.., d] of index, Int32 [..]. An index outside the table panics.
func (e *Embedding) Forward(c Context, index *tensor.Tensor) *autograd.Var {
	if index == nil {
		panic(&tensor.Error{Op: "Embedding", Reason: "index is nil"})
	}
	y := autograd.GatherRows(e.W.Var(c.Tape), index.Reshape(index.Size()))
	return autograd.Reshape(y, append(slices.Clone(index.Shape()), e.W.Shape[1])...)
}
