package dist_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/nn/dist/disttest"
)

// each runs f as every member of a group and returns the errors by rank.
func each(group []dist.Group, f func(g dist.Group) error) []error {
	errs := make([]error, len(group))
	var wait sync.WaitGroup
	for _, g := range group {
		wait.Go(func() { errs[g.Rank()] = f(g) })
	}
	wait.Wait()
	return errs
}

func none(t *testing.T, errs []error) {
	t.Helper()
	for rank, err := range errs {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

func TestContract(t *testing.T) {
	for n := 1; n <= 5; n++ {
		none(t, each(dist.Local(n), disttest.Check))
	}
	none(t, each([]dist.Group{dist.Single()}, disttest.Check))
}

// The digests are those of package mpi too.
func TestDigest(t *testing.T) {
	for n := range disttest.Digests {
		got := make([]string, n)
		none(t, each(dist.Local(n), func(g dist.Group) (err error) {
			got[g.Rank()], err = disttest.Digest(g)
			return err
		}))
		for rank, sum := range got {
			if sum != disttest.Digests[n] {
				t.Errorf("rank %d of %d: %s, want %s", rank, n, sum, disttest.Digests[n])
			}
		}
	}
}

// The sum depends on the order of additions: it must be that of the ranks.
func TestOrder(t *testing.T) {
	values := [][]float32{{1e8, 1}, {1, 2}, {-1e8, 3}}
	none(t, each(dist.Local(3), func(g dist.Group) error {
		x := append([]float32(nil), values[g.Rank()]...)
		if err := g.AllReduce(x); err != nil {
			return err
		}
		if d := cmp.Diff([]float32{0, 6}, x); d != "" { // (1e8 + 1) - 1e8 in float32
			return errors.New(d)
		}
		return nil
	}))
}

// Members that make different calls, or the same with values of different lengths, all get an error, and from then on.
func TestDifferentCalls(t *testing.T) {
	for name, f := range map[string]func(g dist.Group) error{
		"lengths": func(g dist.Group) error { return g.AllReduce(make([]float32, 1+g.Rank())) },
		"calls": func(g dist.Group) error {
			if g.Rank() == 1 {
				_, err := g.Gather(nil)
				return err
			}
			return g.AllReduce(nil)
		},
		"roots": func(g dist.Group) error { return g.Broadcast(make([]float32, 1), g.Rank()) },
	} {
		for rank, err := range each(dist.Local(2), func(g dist.Group) error {
			first := f(g)
			if first == nil || dist.Barrier(g) != first {
				return nil
			}
			return first
		}) {
			if err == nil || !strings.Contains(err.Error(), "rank 1") {
				t.Errorf("%s: rank %d: error %v", name, rank, err)
			}
		}
	}
}

// A member that leaves does not keep the others waiting, and they learn which it was.
func TestClose(t *testing.T) {
	errs := each(dist.Local(3), func(g dist.Group) error {
		if g.Rank() == 1 {
			return errors.Join(g.Close(), g.Close())
		}
		return g.AllReduce(make([]float32, 3))
	})
	for _, rank := range []int{0, 2} {
		if !errors.Is(errs[rank], dist.ErrClosed) || !strings.Contains(errs[rank].Error(), "rank 1 ") {
			t.Errorf("rank %d: error %v", rank, errs[rank])
		}
	}
	if errs[1] != nil {
		t.Errorf("Close: %v", errs[1])
	}
}

// A member that stands still ends the others' wait, and its own call when it comes at last.
func TestTimeout(t *testing.T) {
	over := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(2)
	go func() { waiting.Wait(); close(over) }()
	errs := each(dist.LocalTimeout(3, 50*time.Millisecond), func(g dist.Group) error {
		if g.Rank() == 2 {
			<-over
			return dist.Barrier(g)
		}
		defer waiting.Done()
		return dist.Barrier(g)
	})
	for rank, err := range errs {
		if !errors.Is(err, dist.ErrTimeout) || !strings.Contains(fmt.Sprint(err), "rank 2 did not answer within 50ms") {
			t.Errorf("rank %d: error %v", rank, err)
		}
	}
}
