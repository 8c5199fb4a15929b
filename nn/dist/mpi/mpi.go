//go:build mpi

package mpi

// #include "shim.h"
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/gobeit/gobeit/nn/dist"
)

// Member is this process among those of the launcher: the transport of a group, for dist.Over.
type Member struct {
	rank, size, local int
	timeout           time.Duration
	calls             chan func() // done on MPI's thread, one after the other
	left              []C.char    // ranks that have left
	broken            bool        // a call failed: MPI is of no more use
	closed            bool
	late              [][]byte // bytes of a move that was not over in time: MPI may still write there, so they stay
}

var _ dist.Transport = (*Member)(nil)

// once guards MPI_Init, which a process may call once.
var once sync.Once

// Init starts MPI. A call of the group fails with dist.ErrTimeout where another process does not come to it within timeout. A process can call Init
// once. Started without a launcher it is a group of one.
func Init(timeout time.Duration) (*Member, error) {
	if timeout <= 0 {
		return nil, fmt.Errorf("mpi: timeout %v: must be above 0", timeout)
	}
	m, err := (*Member)(nil), errors.New("mpi: a process can begin MPI once")
	once.Do(func() { m, err = start(timeout) })
	return m, err
}

func start(timeout time.Duration) (*Member, error) {
	m := &Member{timeout: timeout, calls: make(chan func())}
	go func() {
		runtime.LockOSThread() // and never unlocked: MPI's calls all come from the thread that began it
		for f := range m.calls {
			f()
		}
	}()
	var rank, size, local C.int
	if err := m.call("Init", func() C.int { return C.beit_init(&rank, &size, &local) }); err != nil {
		return nil, err
	}
	m.rank, m.size, m.local = int(rank), int(size), int(local)
	m.left = make([]C.char, m.size)
	return m, nil
}

// on runs f on MPI's thread.
func (m *Member) on(f func()) {
	done := make(chan struct{})
	m.calls <- func() { defer close(done); f() }
	<-done
}

// call runs f on MPI's thread and makes an error of its code.
func (m *Member) call(name string, f func() C.int) (err error) {
	m.on(func() {
		switch code := f(); code {
		case 0:
		case C.LATE:
			err = fmt.Errorf("mpi: %s: %w: it was not over after %v", name, dist.ErrTimeout, m.timeout)
		default:
			text := make([]byte, 1024)
			n := C.beit_error(code, (*C.char)(unsafe.Pointer(&text[0])), C.int(len(text)))
			err = fmt.Errorf("mpi: %s: %s", name, text[:n])
		}
	})
	m.broken = m.broken || err != nil
	return err
}

// Rank is this process's number.
func (m *Member) Rank() int { return m.rank }

// Size is the number of processes.
func (m *Member) Size() int { return m.size }

// LocalRank is this process's number among those on its machine, from 0: it chooses the process's GPU.
func (m *Member) LocalRank() int { return m.local }

// Library is the name and version of the MPI library.
func (m *Member) Library() string {
	text := make([]byte, 256)
	var n C.int
	m.on(func() { n = C.beit_library((*C.char)(unsafe.Pointer(&text[0])), C.int(len(text))) })
	return string(text[:n])
}

// Meet exchanges headers.
func (m *Member) Meet(mine dist.Header) ([]dist.Header, error) {
	own := [C.HEADER]C.int64_t{C.int64_t(mine.Op), C.int64_t(mine.Length), C.int64_t(mine.Root)}
	all, arrived := make([]C.int64_t, C.HEADER*m.size), make([]C.char, m.size)
	err := m.call("meeting", func() C.int { return C.beit_meet(&own[0], &all[0], &arrived[0], m.seconds()) })
	if errors.Is(err, dist.ErrTimeout) {
		return nil, cmp.Or(m.absent(arrived), err)
	} else if err != nil {
		return nil, err
	}
	list := make([]dist.Header, m.size)
	for i := range list {
		h := all[i*C.HEADER:]
		list[i] = dist.Header{Op: dist.Op(h[0]), Length: int64(h[1]), Root: int64(h[2])}
		if list[i].Op == dist.OpClose {
			m.left[i] = 1
		}
	}
	return list, nil
}

func (m *Member) seconds() C.double { return C.double(m.timeout.Seconds()) }

// absent names the ranks that did not come; nil when all did.
func (m *Member) absent(arrived []C.char) error {
	here := make([]bool, len(arrived))
	for i, a := range arrived {
		here[i] = a != 0
	}
	if !slices.Contains(here, false) {
		return nil
	}
	return dist.TimeoutError(here, m.timeout)
}

// AllToAll exchanges parts.
func (m *Member) AllToAll(dst, src []byte) error {
	return m.move("all-to-all", dst, src, len(src)/m.size, func(dst, src unsafe.Pointer, n C.int) C.int {
		return C.beit_alltoall(dst, src, n, m.seconds())
	})
}

// AllGather gives all to all.
func (m *Member) AllGather(dst, src []byte) error {
	return m.move("all-gather", dst, src, len(src), func(dst, src unsafe.Pointer, n C.int) C.int {
		return C.beit_allgather(dst, src, n, m.seconds())
	})
}

// Broadcast copies the root's bytes.
func (m *Member) Broadcast(x []byte, root int) error {
	return m.move("broadcast", x, x, len(x), func(x, _ unsafe.Pointer, n C.int) C.int {
		return C.beit_bcast(x, n, C.int(root), m.seconds())
	})
}

// move makes a call that moves n bytes for each rank. MPI counts them in 32 bits.
func (m *Member) move(name string, dst, src []byte, n int, f func(dst, src unsafe.Pointer, n C.int) C.int) error {
	if n > math.MaxInt32 {
		return fmt.Errorf("mpi: %s of %d bytes for each rank: at most %d can be moved at once", name, n, math.MaxInt32)
	}
	err := m.call(name, func() C.int {
		return f(unsafe.Pointer(unsafe.SliceData(dst)), unsafe.Pointer(unsafe.SliceData(src)), C.int(n))
	})
	if err != nil {
		m.late = append(m.late, dst, src)
	}
	if errors.Is(err, dist.ErrTimeout) {
		return cmp.Or(m.missing(), err)
	}
	return err
}

// graceToAnswer is how much later than this process another one may notice that bytes do not come.
const graceToAnswer = 2 * time.Second

// missing names the ranks that do not answer after a call that moved bytes did not end: all others notice that too, and say that they leave.
func (m *Member) missing() error {
	own, all, arrived := closing, make([]C.int64_t, C.HEADER*m.size), make([]C.char, m.size)
	err := m.call("meeting", func() C.int { return C.beit_meet(&own[0], &all[0], &arrived[0], C.double(graceToAnswer.Seconds())) })
	if errors.Is(err, dist.ErrTimeout) {
		return m.absent(arrived)
	}
	return nil
}

// closing is the header of a process that leaves.
var closing = [C.HEADER]C.int64_t{C.int64_t(dist.OpClose)}

// Close leaves the group and ends MPI, when the others have left it too. After a failure of MPI, and when they do not leave in time, it ends all
// processes.
func (m *Member) Close() error {
	if m.closed {
		return nil
	}
	m.closed = true
	if !m.broken {
		own, all := closing, make([]C.int64_t, C.HEADER*m.size)
		err := m.call("Close", func() C.int { return C.beit_leave(&own[0], &all[0], &m.left[0], m.seconds()) })
		if err == nil {
			return m.call("Finalize", func() C.int { return C.beit_finalize() })
		}
	}
	m.Abort(1)
	return nil
}

// Abort ends all processes of the launcher with an exit code. It does not return where the launcher does as MPI asks.
func (m *Member) Abort(code int) { m.on(func() { C.beit_abort(C.int(code)) }) }
