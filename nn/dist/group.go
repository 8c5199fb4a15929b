package dist

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gobeit/gobeit/tensor"
)

// ErrClosed is wrapped by the errors of a group that a member has left; the text names the rank.
var ErrClosed = errors.New("has left the group")

// ErrTimeout is wrapped by the errors of a group in which a member did not come to a call in time; the text names the ranks.
var ErrTimeout = errors.New("timeout")

// DefaultTimeout is how long a member waits for the others before a call fails.
const DefaultTimeout = 10 * time.Minute

// Group is one member's view of the workers that train together. All members make the same calls in the same order, each from one goroutine.
//
// After an error the group is of no more use: every later call returns an error as well.
type Group interface {
	// Rank is the member's number, from 0.
	Rank() int
	// Size is the number of members.
	Size() int
	// AllReduce replaces x by the sum over all members, added in the order of their ranks. x has the same length in all.
	AllReduce(x []float32) error
	// AllReduceInt64 is AllReduce for whole numbers.
	AllReduceInt64(x []int64) error
	// Broadcast replaces x by that of the member root. x has the same length in all. It panics unless root is a rank.
	Broadcast(x []float32, root int) error
	// Gather returns what each member brought, by rank. Lengths may differ. The result is the caller's.
	Gather(mine []byte) ([][]byte, error)
	// Close leaves the group. The calls of members that are still in it fail with ErrClosed.
	Close() error
}

// single is the group of one.
type single struct{}

// Single returns the group of one member, whose calls change nothing.
func Single() Group { return single{} }

func (single) Rank() int                      { return 0 }
func (single) Size() int                      { return 1 }
func (single) AllReduce([]float32) error      { return nil }
func (single) AllReduceInt64([]int64) error   { return nil }
func (single) Broadcast([]float32, int) error { return nil }
func (single) Gather(mine []byte) ([][]byte, error) {
	return [][]byte{append([]byte(nil), mine...)}, nil
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

// Share replaces a Float32 tensor by that of the member root of g. In a group of one it does not touch the tensor.
func Share(g Group, t *tensor.Tensor, root int) error {
	if g.Size() == 1 {
		return nil
	}
	x := t.Float32s()
	if err := g.Broadcast(x, root); err != nil {
		return err
	}
	if g.Rank() != root {
		t.Upload(x)
	}
	return nil
}

// SumFloat64 replaces x by the sum over all members of g, added in the order of their ranks. It is meant for few values: each member gets those of
// all.
func SumFloat64(g Group, x []float64) error {
	if g.Size() == 1 {
		return nil
	}
	all, err := g.Gather(bytesOf(x))
	if err != nil {
		return err
	}
	clear(x)
	for rank, theirs := range all {
		if len(theirs) != 8*len(x) {
			return fmt.Errorf("dist: SumFloat64: rank %d has %d values, rank %d %d", rank, len(theirs)/8, g.Rank(), len(x))
		}
		for i := range x {
			x[i] += math.Float64frombits(binary.NativeEndian.Uint64(theirs[8*i:]))
		}
	}
	return nil
}

// GatherValues returns the value that each member of g brought, by rank. Values are of any type that encoding/gob takes.
func GatherValues[T any](g Group, mine T) ([]T, error) {
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(&mine); err != nil {
		return nil, fmt.Errorf("dist: GatherValues: %w", err)
	}
	texts, err := g.Gather(text.Bytes())
	if err != nil {
		return nil, err
	}
	all := make([]T, len(texts))
	for rank, text := range texts {
		if err := gob.NewDecoder(bytes.NewReader(text)).Decode(&all[rank]); err != nil {
			return nil, fmt.Errorf("dist: GatherValues: what rank %d brought: %w", rank, err)
		}
	}
	return all, nil
}

// Barrier returns when all members have called it.
func Barrier(g Group) error {
	_, err := g.Gather(nil)
	return err
}
