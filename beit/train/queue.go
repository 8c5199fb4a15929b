package train

import "github.com/gobeit/gobeit/nn/dist"

// queue is a group whose calls are made one after the other by a goroutine of its own, so that some go on while the caller does other work. All
// processes make the same calls in the same order, whichever of them are waited for.
type queue struct {
	dist.Group
	calls   chan func()
	stopped chan struct{}
}

// most is how many calls may wait before whoever begins another one waits too.
const most = 1024

func newQueue(g dist.Group) *queue {
	q := &queue{Group: g, calls: make(chan func(), most), stopped: make(chan struct{})}
	go func() {
		defer close(q.stopped)
		for call := range q.calls {
			call()
		}
	}()
	return q
}

// begin has a call made, and returns what waits for it.
func (q *queue) begin(call func(g dist.Group) error) (wait func() error) {
	done := make(chan error, 1)
	q.calls <- func() { done <- call(q.Group) }
	return func() error { return <-done }
}

// stop waits until all calls are over. The group itself stays as it is.
func (q *queue) stop() {
	close(q.calls)
	<-q.stopped
}

// AllReduce waits for the sum.
func (q *queue) AllReduce(x []float32) error {
	return q.begin(func(g dist.Group) error { return g.AllReduce(x) })()
}

// AllReduceInt64 waits for the sum.
func (q *queue) AllReduceInt64(x []int64) error {
	return q.begin(func(g dist.Group) error { return g.AllReduceInt64(x) })()
}

// Broadcast waits for the values.
func (q *queue) Broadcast(x []float32, root int) error {
	return q.begin(func(g dist.Group) error { return g.Broadcast(x, root) })()
}

// Gather waits for what all bring.
func (q *queue) Gather(mine []byte) (all [][]byte, err error) {
	err = q.begin(func(g dist.Group) (err error) { all, err = g.Gather(mine); return err })()
	return all, err
}
