package pool

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// job is one call of Run: n tasks, claimed in order by whoever is free.
type job struct {
	f       func(i int)
	n       int64
	claimed atomic.Int64
	left    atomic.Int64
	done    chan struct{}
	fault   atomic.Pointer[any] // first value recovered from a panicking task
}

// work claims and runs tasks until none is left to claim.
func (j *job) work() {
	for {
		i := j.claimed.Add(1) - 1
		if i >= j.n {
			return
		}
		j.one(int(i))
	}
}

func (j *job) one(i int) {
	defer func() {
		if r := recover(); r != nil {
			j.fault.CompareAndSwap(nil, &r)
		}
		if j.left.Add(-1) == 0 {
			close(j.done)
		}
	}()
	j.f(i)
}

var (
	mu      sync.Mutex
	started int          // worker goroutines that exist, guarded by mu
	threads atomic.Int64 // 0: not chosen yet, then GOMAXPROCS at first use
	queue   = make(chan *job, 1024)
)

// Threads is the number of goroutines that may work on one Run, the caller included.
func Threads() int {
	if n := threads.Load(); n > 0 {
		return int(n)
	}
	mu.Lock()
	defer mu.Unlock()
	if threads.Load() == 0 { // nobody has chosen meanwhile
		set(runtime.GOMAXPROCS(0))
	}
	return int(threads.Load())
}

// SetThreads sets how many goroutines work on one Run, the caller included.
// Results never depend on it. n below 1 means 1.
func SetThreads(n int) {
	mu.Lock()
	defer mu.Unlock()
	set(max(n, 1))
}

// set starts the workers that n threads need. The caller holds mu.
func set(n int) {
	for ; started < n-1; started++ {
		go func() {
			for j := range queue {
				j.work()
			}
		}()
	}
	threads.Store(int64(n))
}

// Run calls f(0) … f(n-1), each once, on the caller and on idle workers, and
// returns when all have returned. It may be called from many goroutines at once
// and from inside f. A panic in f is raised again in the caller.
func Run(n int, f func(i int)) {
	helpers := min(Threads(), n) - 1
	if helpers < 1 {
		for i := range n {
			f(i)
		}
		return
	}
	j := &job{f: f, n: int64(n), done: make(chan struct{})}
	j.left.Store(int64(n))
	for range helpers {
		select {
		case queue <- j:
		default: // everyone is busy: the caller does the work itself
		}
	}
	j.work()
	<-j.done
	if r := j.fault.Load(); r != nil {
		panic(*r)
	}
}
