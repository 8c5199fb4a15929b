package dist

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// hall is where the members of a local group meet.
type hall struct {
	size    int
	mu      sync.Mutex
	timeout time.Duration
	present *meeting
	err     error // why no meeting takes place any more
}

// meeting is one meeting of all members.
type meeting struct {
	brought []any
	arrived []bool
	missing int
	over    chan struct{} // closed when all have arrived, or some will not
	err     error
}

// member is one member of a local group.
type member struct {
	hall *hall
	rank int
}

// Local returns the members of a group of n in this process. Each is for one goroutine. It panics unless n is positive.
func Local(n int) []Group { return LocalTimeout(n, DefaultTimeout) }

// LocalTimeout is Local for members that wait at most so long for each other.
func LocalTimeout(n int, timeout time.Duration) []Group {
	if n < 1 || timeout <= 0 {
		panic(fmt.Sprintf("dist: Local: group of %d with a timeout of %v", n, timeout))
	}
	h := &hall{size: n, timeout: timeout, present: newMeeting(n)}
	list := make([]Group, n)
	for i := range list {
		list[i] = Over(&member{h, i})
	}
	return list
}

func newMeeting(n int) *meeting {
	return &meeting{brought: make([]any, n), arrived: make([]bool, n), missing: n, over: make(chan struct{})}
}

func (m *member) Rank() int { return m.rank }
func (m *member) Size() int { return m.hall.size }

// Meet exchanges headers.
func (m *member) Meet(mine Header) ([]Header, error) {
	all, err := m.exchange(mine)
	if err != nil {
		return nil, err
	}
	list := make([]Header, len(all))
	for i, h := range all {
		list[i] = h.(Header)
	}
	return list, nil
}

// AllToAll takes its part of what each member brought.
func (m *member) AllToAll(dst, src []byte) error {
	each := len(src) / m.Size()
	return m.copyFrom(src, func(rank int, theirs []byte) {
		copy(dst[rank*each:(rank+1)*each], theirs[m.rank*each:])
	})
}

// AllGather takes all that each member brought.
func (m *member) AllGather(dst, src []byte) error {
	return m.copyFrom(src, func(rank int, theirs []byte) { copy(dst[rank*len(src):], theirs) })
}

// Broadcast takes what the root brought.
func (m *member) Broadcast(x []byte, root int) error {
	return m.copyFrom(x, func(rank int, theirs []byte) {
		if rank == root && rank != m.rank {
			copy(x, theirs)
		}
	})
}

// copyFrom shows take what each member brought, and returns when all have taken theirs.
func (m *member) copyFrom(mine []byte, take func(rank int, theirs []byte)) error {
	all, err := m.exchange(mine)
	if err != nil {
		return err
	}
	for rank, theirs := range all {
		take(rank, theirs.([]byte))
	}
	_, err = m.exchange(nil)
	return err
}

// Close leaves the group; the others' calls fail.
func (m *member) Close() error {
	m.hall.mu.Lock()
	defer m.hall.mu.Unlock()
	m.hall.end(fmt.Errorf("dist: rank %d %w", m.rank, ErrClosed))
	return nil
}

// exchange waits for all members and returns what each brought.
func (m *member) exchange(mine any) ([]any, error) {
	h := m.hall
	h.mu.Lock()
	if h.err != nil {
		defer h.mu.Unlock()
		return nil, h.err
	}
	now := h.present
	now.brought[m.rank], now.arrived[m.rank] = mine, true
	if now.missing--; now.missing == 0 {
		h.present = newMeeting(len(now.arrived))
		close(now.over)
	}
	h.mu.Unlock()
	timer := time.NewTimer(h.timeout)
	defer timer.Stop()
	select {
	case <-now.over:
	case <-timer.C:
		h.late(now)
	}
	return now.brought, now.err
}

// late ends a meeting to which not all came in time, unless they came meanwhile.
func (h *hall) late(now *meeting) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.present == now {
		h.end(TimeoutError(now.arrived, h.timeout))
	}
}

// end ends the present meeting and all later ones with an error, the first that there was.
func (h *hall) end(err error) {
	if h.err != nil {
		return
	}
	h.err, h.present.err = err, err
	close(h.present.over)
}

// TimeoutError names the ranks that did not arrive in time. It wraps ErrTimeout.
func TimeoutError(arrived []bool, timeout time.Duration) error {
	var ranks []string
	for rank, here := range arrived {
		if !here {
			ranks = append(ranks, fmt.Sprint(rank))
		}
	}
	name := "rank "
	if len(ranks) > 1 {
		name = "ranks "
	}
	return fmt.Errorf("dist: %w: %s%s did not answer within %v", ErrTimeout, name, strings.Join(ranks, ", "), timeout)
}
