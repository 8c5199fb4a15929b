package tensor

import "github.com/gobeit/gobeit/tensor/internal/pool"

// ParallelFor calls f(0) … f(n-1), each once, on the caller and on idle workers of the process's worker pool. It returns when all calls
// have returned. It may be nested and called from many goroutines at once. A panic in f is raised again in the caller.
func ParallelFor(n int, f func(i int)) { pool.Run(n, f) }

// SetThreads sets how many goroutines, including the caller, may work on one operation. The default is GOMAXPROCS. Results do not depend
// on it.
func SetThreads(n int) { pool.SetThreads(n) }

// Threads returns the number set by SetThreads.
func Threads() int { return pool.Threads() }
