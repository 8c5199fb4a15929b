package dist

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/tensor"
)

// each runs f as every member of a group of n and returns the errors by rank.
func each(n int, f func(g Group) error) []error {
	errs := make([]error, n)
	var wait sync.WaitGroup
	for _, g := range Local(n) {
		wait.Go(func() { errs[g.Rank()] = f(g) })
	}
	wait.Wait()
	return errs
}

// The sum of float32 depends on the order: it must be that of the ranks, whoever comes first, in many meetings one after the other.
func TestAllReduce(t *testing.T) {
	values := [][]float32{{1e8, 1}, {1, 2}, {-1e8, 3}}
	want := []float32{0, 6} // (1e8 + 1) - 1e8 in float32
	for range 100 {
		got := make([][]float32, 3)
		for rank, err := range each(3, func(g Group) error {
			x := append([]float32(nil), values[g.Rank()]...)
			got[g.Rank()] = x
			n := []int64{int64(g.Rank())}
			if err := g.AllReduceInt64(n); err != nil || n[0] != 3 {
				return errors.New("sum of ranks")
			}
			return g.AllReduce(x)
		}) {
			if err != nil || !cmp.Equal(got[rank], want) {
				t.Fatalf("rank %d: %v, error %v", rank, got[rank], err)
			}
		}
	}
}

func TestBroadcast(t *testing.T) {
	for rank, err := range each(4, func(g Group) error {
		x := []float32{float32(g.Rank())}
		if err := g.Broadcast(x, 2); err != nil || x[0] != 2 {
			return errors.New("not the root's value")
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

func TestDifferentLengths(t *testing.T) {
	for rank, err := range each(2, func(g Group) error { return g.AllReduce(make([]float32, 1+g.Rank())) }) {
		if err == nil {
			t.Errorf("rank %d: no error", rank)
		}
	}
}

// A member that leaves does not keep the others waiting.
func TestClose(t *testing.T) {
	errs := each(3, func(g Group) error {
		if g.Rank() == 1 {
			return g.Close()
		}
		return g.AllReduce(make([]float32, 3))
	})
	if !errors.Is(errs[0], ErrClosed) || errs[1] != nil || !errors.Is(errs[2], ErrClosed) {
		t.Errorf("errors %v", errs)
	}
}

func TestSum(t *testing.T) {
	for rank, err := range each(2, func(g Group) error {
		x := tensor.FromSlice(tensor.CPU(), []float32{1, float32(g.Rank())}, 2)
		defer x.Release()
		if err := Sum(g, x); err != nil {
			return err
		}
		if d := cmp.Diff([]float32{2, 1}, x.Float32s()); d != "" {
			return errors.New(d)
		}
		return nil
	}) {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	x := tensor.FromSlice(tensor.CPU(), []float32{3}, 1)
	if err := Sum(Single(), x); err != nil || x.Item() != 3 {
		t.Errorf("a group of one: %v, %v", x, err)
	}
}
