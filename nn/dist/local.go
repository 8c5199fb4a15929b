package dist

import (
	"fmt"
	"sync"
)

// hall is where the members of a local group meet.
type hall struct {
	mu      sync.Mutex
	changed *sync.Cond
	size    int
	round   int   // meetings that are over
	arrived int   // members in the present meeting
	given   []any // what each brought, by rank
	err     error // of the present meeting, for all its members
	closed  bool
}

// member is one member of a local group.
type member struct {
	*hall
	rank int
}

// Local returns the members of a group of n in this process. Each is for one goroutine. It panics unless n is positive.
func Local(n int) []Group {
	if n < 1 {
		panic(fmt.Sprintf("dist: Local: group of %d", n))
	}
	h := &hall{size: n, given: make([]any, n)}
	h.changed = sync.NewCond(&h.mu)
	list := make([]Group, n)
	for i := range list {
		list[i] = &member{h, i}
	}
	return list
}

func (m *member) Rank() int { return m.rank }
func (m *member) Size() int { return m.size }

// AllReduce adds up in the order of the ranks.
func (m *member) AllReduce(x []float32) error { return meet(m, x, sum[float32]) }

// AllReduceInt64 adds up whole numbers.
func (m *member) AllReduceInt64(x []int64) error { return meet(m, x, sum[int64]) }

// Broadcast copies the root's values.
func (m *member) Broadcast(x []float32, root int) error {
	if root < 0 || root >= m.size {
		panic(fmt.Sprintf("dist: Broadcast: root %d of a group of %d", root, m.size))
	}
	return meet(m, x, func(all [][]float32) []float32 { return append([]float32(nil), all[root]...) })
}

// Close leaves the group; the others' calls fail.
func (m *member) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.changed.Broadcast()
	return nil
}

// sum adds slices of equal lengths, the first rank first.
func sum[T float32 | int64](all [][]T) []T {
	total := append([]T(nil), all[0]...)
	for _, x := range all[1:] {
		for i, v := range x {
			total[i] += v
		}
	}
	return total
}

// meet waits for all members, and gives each what combine makes of what they brought. The last to arrive does the work.
func meet[T float32 | int64](m *member, x []T, combine func(all [][]T) []T) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	round := m.round
	m.given[m.rank] = x
	if m.arrived++; m.arrived == m.size {
		m.err = combineAll(m.given, combine)
		m.arrived = 0
		m.round++
		m.changed.Broadcast()
		return m.err
	}
	for m.round == round && !m.closed {
		m.changed.Wait()
	}
	if m.round == round {
		return ErrClosed
	}
	return m.err
}

// combineAll overwrites what each member brought with the result.
func combineAll[T float32 | int64](given []any, combine func(all [][]T) []T) error {
	all := make([][]T, len(given))
	for i, g := range given {
		x, ok := g.([]T)
		if !ok || len(x) != len(all[0]) && i > 0 {
			return fmt.Errorf("dist: member %d brought %T of %d, member 0 %T: all must make the same call with as many values", i, g, len(x), given[0])
		}
		all[i] = x
	}
	total := combine(all)
	for _, x := range all {
		copy(x, total)
	}
	return nil
}
