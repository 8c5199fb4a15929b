package opcase_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/opcase"
)

// guard is a backend whose operations can be used between Begin and End only, each by the goroutine that began it.
type guard struct {
	tensor.Backend
	mu      sync.Mutex
	current *bracket
	begun   int
	err     error // of the first bracket that did not stand alone
	failed  bool  // like a device that was lost
}

func (g *guard) Begin(op string, p tensor.Precision) tensor.Ops {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begun++
	if g.current != nil && g.err == nil {
		g.err = fmt.Errorf("%s begins before %s has ended", op, g.current.op)
	}
	if g.failed {
		return nil
	}
	g.current = &bracket{Ops: g.Backend.Begin(op, p), g: g, op: op}
	return g.current
}

// bracket is the operations from Begin to End. After that there are none: a call panics.
type bracket struct {
	tensor.Ops
	g  *guard
	op string
}

func (b *bracket) End() {
	b.g.mu.Lock()
	defer b.g.mu.Unlock()
	b.Ops.End()
	b.Ops, b.g.current = nil, nil
}

// Every operation, on views with gaps too, runs in a bracket of its own, and the bracket ends.
func TestOperationsRunInBrackets(t *testing.T) {
	g := &guard{Backend: tensor.CPU().Backend()}
	dev := tensor.NewDevice(g)
	for _, c := range opcase.Cases() {
		if c.FLOPs > 1e6 {
			continue // the same calls as in smaller cases
		}
		before := g.begun
		p := opcase.Prepare(c)
		out, _ := p.Run(dev, 3)
		gaps := p.Upload(dev, 0)
		for i, x := range gaps {
			gaps[i] = withGaps(x)
		}
		for i, y := range forward(t, c, dev, gaps) {
			if !y.Shape().Equal(out[i].Shape()) {
				t.Errorf("%s: output %d of views has shape %v, not %v", c.Name, i, y.Shape(), out[i].Shape())
			}
		}
		if g.begun == before {
			t.Errorf("%s: no operation began", c.Name)
		}
		if g.err != nil || g.current != nil {
			t.Fatalf("%s: %v; still open: %+v", c.Name, g.err, g.current)
		}
	}
}

// withGaps is a view that is not contiguous, of the shape of x, where there is one: the same numbers stored in another order, or if x has one axis
// its first element repeated.
func withGaps(x *tensor.Tensor) *tensor.Tensor {
	switch rank := x.Rank(); {
	case rank >= 2:
		return x.Transpose(rank-2, rank-1).Clone().Transpose(rank-2, rank-1)
	case rank == 1 && x.Size() > 0:
		return x.Slice(0, 0, 1).Expand(x.Size())
	}
	return x
}

// forward runs a case and its gradient on views. There is no result where the operation refuses them, as optimizers do.
func forward(t *testing.T, c opcase.Case, dev *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
	defer func() {
		if r := recover(); r != nil && !strings.Contains(fmt.Sprint(r), "a view with gaps cannot be written") {
			t.Errorf("%s: %v", c.Name, r)
		}
	}()
	out := c.Forward(dev, in)
	if c.Backward != nil {
		c.Backward(dev, in, out, withGaps(tensor.Full(dev, 1, out[0].Shape()...)))
	}
	return out
}

// A bracket ends also when the operation panics.
func TestBracketsEndOnPanic(t *testing.T) {
	g := &guard{Backend: tensor.CPU().Backend()}
	dev := tensor.NewDevice(g)
	src, index := tensor.Full(dev, 1, 3, 2), tensor.FromInts(dev, []int32{7}, 1)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("an index outside the table went unnoticed")
			}
		}()
		tensor.GatherRows(src, index)
	}()
	if g.current != nil {
		t.Errorf("%s is still open", g.current.op)
	}
}

// On a device that has failed, operations do nothing and return results of the right shape.
func TestOperationsOfAFailedDevice(t *testing.T) {
	g := &guard{Backend: tensor.CPU().Backend(), failed: true}
	dev := tensor.NewDevice(g)
	for _, c := range opcase.Cases() {
		if c.FLOPs > 1e6 {
			continue
		}
		p := opcase.Prepare(c)
		want := c.Forward(tensor.CPU(), p.Upload(tensor.CPU(), 0))
		for i, y := range c.Forward(dev, p.Upload(dev, 0)) {
			if !y.Shape().Equal(want[i].Shape()) {
				t.Errorf("%s: output %d has shape %v, want %v", c.Name, i, y.Shape(), want[i].Shape())
			}
		}
	}
}
