package tensor

import "github.com/gobeit/gobeit/tensor/internal/pool"

// ParallelFor calls f(0) … f(n-1), each once, on the caller and on the idle workers of the
// process's one worker pool, and returns when all have returned. It may be nested and called from
// many goroutines at once. A panic in f is raised again in the caller.
func ParallelFor(n int, f func(i int)) { pool.Run(n, f) }

// SetThreads sets how many goroutines, the caller included, may work on one operation; the default is
// GOMAXPROCS. Results never depend on it.
func SetThreads(n int) { pool.SetThreads(n) }

// Threads is the number set by SetThreads.
func Threads() int { return pool.Threads() }
