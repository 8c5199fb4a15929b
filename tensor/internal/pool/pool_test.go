package pool

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestRunCallsEachTaskOnce(t *testing.T) {
	defer SetThreads(Threads())
	for _, threads := range []int{1, 2, 5} {
		SetThreads(threads)
		for _, n := range []int{0, 1, 2, 3, 100, 10_000} {
			seen := make([]atomic.Int32, n)
			Run(n, func(i int) { seen[i].Add(1) })
			for i := range seen {
				if got := seen[i].Load(); got != 1 {
					t.Fatalf("threads %d, n %d: task %d ran %d times", threads, n, i, got)
				}
			}
		}
	}
}

func TestRunNestedAndConcurrent(t *testing.T) {
	defer SetThreads(Threads())
	SetThreads(4)
	var total atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			Run(20, func(int) { Run(20, func(int) { total.Add(1) }) })
		})
	}
	wg.Wait()
	if got := total.Load(); got != 8*20*20 {
		t.Fatalf("ran %d tasks, want %d", got, 8*20*20)
	}
}

// The number of threads may change while others work.
func TestSetThreadsMeanwhile(t *testing.T) {
	defer SetThreads(Threads())
	var total atomic.Int64
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			SetThreads(1 + i)
			Run(20, func(int) { total.Add(1) })
			if Threads() < 1 {
				t.Error("no threads")
			}
		})
	}
	wg.Wait()
	if got := total.Load(); got != 4*20 {
		t.Fatalf("ran %d tasks, want %d", got, 4*20)
	}
}

func TestRunRaisesPanicInCaller(t *testing.T) {
	defer SetThreads(Threads())
	SetThreads(3)
	defer func() {
		if r := recover(); r != "task 7" {
			t.Fatalf("recovered %v, want the task's own panic", r)
		}
		var n atomic.Int64
		Run(10, func(int) { n.Add(1) }) // the workers live on
		if n.Load() != 10 {
			t.Fatal("the pool is dead after a panic")
		}
	}()
	Run(10, func(i int) {
		if i == 7 {
			panic("task 7")
		}
	})
}
