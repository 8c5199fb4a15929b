package dist

import (
	"errors"

	"github.com/gobeit/gobeit/tensor"
)

// ErrClosed is wrapped by the errors of a group that a member has left.
var ErrClosed = errors.New("dist: a member has left the group")

// Group is one member's view of the workers that train together.
type Group interface {
	// Rank is the member's number, from 0.
	Rank() int
	// Size is the number of members.
	Size() int
	// AllReduce replaces x by the sum over all members, added in the order of their ranks.
	AllReduce(x []float32) error
	// AllReduceInt64 is AllReduce for whole numbers.
	AllReduceInt64(x []int64) error
	// Broadcast replaces x by that of the member root.
	Broadcast(x []float32, root int) error
	// Close leaves the group.
	Close() error
}

// single is the group of one.
type single struct{}

// Single returns the group of one member, whose calls change nothing.
func Single() Group { return single{} }

func (single) Rank() int                    { return 0 }
func (single) Size() int                    { return 1 }
func (single) AllReduce([]float32) error    { return nil }
func (single) AllReduceInt64([]int64) error { return nil }
func (single) Broadcast([]float32, int) error {
	return nil
}
func (single) Close() error { return nil }

// Sum replaces a Float32 tensor by the sum over all members of g. In a group of one it does not touch the tensor.
func Sum(g Group, t *tensor.Tensor) error {
	if g.Size() == 1 {
		return nil
	}
	x := t.Float32s()
	if err := g.AllReduce(x); err != nil {
		return err
	}
	t.Upload(x)
	return nil
}
