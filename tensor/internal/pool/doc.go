// Package pool is the persistent pool of worker goroutines of the process.
// Operations, the image loader and concurrent callers share it, so that
// no operation starts goroutines of its own.
//
//	pool.Run(len(rows), func(i int) { work(rows[i]) })
//
// Run may be nested and called from many goroutines at once: whoever calls it
// works too, so it never waits for a free worker. A panic of a task is raised again in
// the caller. SetThreads says how many goroutines may share one Run; what is
// computed must not depend on it.
package pool
