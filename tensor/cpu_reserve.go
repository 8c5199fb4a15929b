package tensor

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync/atomic"

	"github.com/gobeit/gobeit/tensor/internal/hostmem"
)

// ErrOutOfMemory is wrapped by the *Error of an operation for whose result a device has no memory.
var ErrOutOfMemory = errors.New("out of memory")

// lookEvery is how many bytes are allocated before the free memory is looked at again.
const lookEvery = 128 << 20

// unlooked is how many bytes may be allocated before the next look.
var unlooked atomic.Int64

// reserve refuses an allocation on the CPU that the machine has no memory for. Go ends the process where memory is refused to it, and the system
// ends one that writes to memory which is not there, so sizes are compared with what is free before.
func reserve(bytes int64) error {
	if unlooked.Add(-bytes) >= 0 {
		return nil
	}
	room, ok := heapRoom()
	if ok && bytes > room { // of what the pool gave up, nothing is free before it is collected
		runtime.GC()
		room, ok = heapRoom()
	}
	switch {
	case !ok:
		room = bytes + lookEvery
	case bytes > room:
		unlooked.Store(0)
		return fmt.Errorf("%w: %s asked, %s free", ErrOutOfMemory, hostmem.Text(bytes), hostmem.Text(max(room, 0)))
	}
	unlooked.Store(min(room-bytes, lookEvery))
	return nil
}

// heapRoom is how far the heap can grow, on swap space too; ok is false where that is not known. It is a variable for tests.
var heapRoom = func() (bytes int64, ok bool) {
	s, ok := hostmem.Look()
	if !ok {
		return 0, false
	}
	heap := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}, {Name: "/memory/classes/heap/free:bytes"}}
	metrics.Read(heap)
	mapped, free := int64(heap[0].Value.Uint64()-heap[1].Value.Uint64()), int64(heap[2].Value.Uint64())
	unwritten := max(mapped-s.Resident, 0) // the system has given it, and counts it once something is written there
	return free + min(s.Available+s.Swap-unwritten, s.Address), true
}
