// Package disttest has what every dist.Group must do, as checks for tests of its implementations.
//
// Members may be processes, so Check and Digest are what one of them does: all members call them at the same time.
package disttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/nn/dist"
	"github.com/gobeit/gobeit/tensor"
)

// Check makes every call of a group, and returns what was wrong with the results. The group can be used afterwards.
func Check(g dist.Group) error {
	for _, check := range []func(g dist.Group) error{order, lengths, whole, broadcast, gather, values, tensors} {
		if err := check(g); err != nil {
			return fmt.Errorf("rank %d of %d: %w", g.Rank(), g.Size(), err)
		}
	}
	return nil
}

// Digest is that of the results of float32 sums, of which each bit depends on the order of additions: all members of all groups of that size give
// the same.
func Digest(g dist.Group) (string, error) {
	h := sha256.New()
	for _, n := range []int{1, 1000, 7<<20 + 3} { // the last one in two buckets
		x := sample(g.Rank(), n)
		if err := g.AllReduce(x); err != nil {
			return "", err
		}
		if err := binary.Write(h, binary.LittleEndian, x); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sample are numbers of very different sizes.
func sample(rank, n int) []float32 {
	x, state := make([]float32, n), uint64(rank+1)
	for i := range x {
		state = state*6364136223846793005 + 1442695040888963407 // Knuth's generator: MMIX
		x[i] = float32(int32(state>>32)) / float32(uint32(1)<<(i%20))
	}
	return x
}

// order checks that sums are added in the order of the ranks, whoever comes first, in many calls one after the other.
func order(g dist.Group) error {
	for round := range 50 {
		n := 1 + round*7
		x, want := sample(g.Rank(), n), sample(0, n)
		for rank := 1; rank < g.Size(); rank++ {
			for i, v := range sample(rank, n) {
				want[i] += v
			}
		}
		if err := g.AllReduce(x); err != nil {
			return err
		}
		if !slices.Equal(x, want) {
			return fmt.Errorf("AllReduce of %d values: not the sum in the order of the ranks", n)
		}
	}
	return nil
}

// lengths checks sums of few values and of none.
func lengths(g dist.Group) error {
	for n := range 2*g.Size() + 2 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i + g.Rank())
		}
		if err := g.AllReduce(x); err != nil {
			return err
		}
		for i, v := range x {
			if want := float32(i*g.Size() + g.Size()*(g.Size()-1)/2); v != want {
				return fmt.Errorf("AllReduce of %d values: value %d is %v, want %v", n, i, v, want)
			}
		}
	}
	return nil
}

// whole checks sums of whole numbers that float64 cannot hold.
func whole(g dist.Group) error {
	const large = 1<<53 + 1
	x := []int64{large, int64(g.Rank()), -1}
	if err := g.AllReduceInt64(x); err != nil {
		return err
	}
	n := int64(g.Size())
	if want := []int64{n * large, n * (n - 1) / 2, -n}; !slices.Equal(x, want) {
		return fmt.Errorf("AllReduceInt64: %d, want %d", x, want)
	}
	return nil
}

// broadcast checks every root.
func broadcast(g dist.Group) error {
	for root := range g.Size() {
		x := sample(g.Rank(), 1001)
		if err := g.Broadcast(x, root); err != nil {
			return err
		}
		if !slices.Equal(x, sample(root, 1001)) {
			return fmt.Errorf("group.Broadcast: not the values of rank %d", root)
		}
	}
	return nil
}

// gather checks texts of different lengths, of which some are empty.
func gather(g dist.Group) error {
	text := func(rank int) []byte { return bytes.Repeat([]byte{byte('a' + rank)}, rank*3) }
	for range 3 {
		all, err := g.Gather(text(g.Rank()))
		if err != nil {
			return err
		}
		for rank, got := range all {
			if !bytes.Equal(got, text(rank)) {
				return fmt.Errorf("group.Gather: rank %d brought %q, got %q", rank, text(rank), got)
			}
		}
		if len(all) != g.Size() {
			return fmt.Errorf("group.Gather: %d texts of %d members", len(all), g.Size())
		}
	}
	return dist.Barrier(g)
}

// values checks that what has a type comes as it was, numbers that are not finite too.
func values(g dist.Group) error {
	type row struct {
		Name string
		X    []float32
	}
	of := func(rank int) []row {
		return slices.Repeat([]row{{fmt.Sprint("rank ", rank), []float32{0.1, float32(rank), float32(math.Inf(-1))}}}, rank)
	}
	all, err := dist.GatherValues(g, of(g.Rank()))
	if err != nil {
		return err
	}
	for rank, got := range all {
		if fmt.Sprint(got) != fmt.Sprint(of(rank)) {
			return fmt.Errorf("GatherValues: rank %d brought %v, got %v", rank, of(rank), got)
		}
	}
	return nil
}

// tensors checks the helpers for tensors.
func tensors(g dist.Group) error {
	x := tensor.FromSlice(tensor.CPU(), []float32{1, float32(g.Rank())}, 2)
	defer x.Release()
	if err := dist.Sum(g, x); err != nil {
		return err
	}
	n := float32(g.Size())
	if got, want := x.Float32s(), []float32{n, n * (n - 1) / 2}; !slices.Equal(got, want) {
		return fmt.Errorf("group.Sum: %v, want %v", got, want)
	}
	sum := []float64{1 + 1e-15, float64(g.Rank())}
	if err := dist.SumFloat64(g, sum); err != nil {
		return err
	}
	if want := float64(n) * (1 + 1e-15); math.Abs(sum[0]-want) > 1e-15*want || sum[1] != float64(n*(n-1)/2) {
		return fmt.Errorf("SumFloat64: %v", sum)
	}
	y := tensor.FromSlice(tensor.CPU(), sample(g.Rank(), 5), 5)
	defer y.Release()
	root := g.Size() - 1
	if err := dist.Share(g, y, root); err != nil {
		return err
	}
	if !slices.Equal(y.Float32s(), sample(root, 5)) {
		return fmt.Errorf("group.Share: not the tensor of rank %d", root)
	}
	return nil
}

// Digests are what Digest gives, by the number of members.
var Digests = map[int]string{
	2: "955719f5f6927efe12e9d95f89731b141546d6a292c7cd0e1f931ed75041e823",
	3: "abdd7d6e64c71b71c269d638c529ad0f63c0e69b066e977ecd5896f830c7138c",
	4: "0ceebd79e6454cd85e56dda4b2f5cc036fa07729c4ebf2b0a205ff3a20ee29d2",
}
