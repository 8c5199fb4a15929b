package data

import "sync"

// DecodeMemory is how many bytes all images that are decoded at the same time may take together, by the estimates of their formats. Others wait.
// An image that needs more than all of it is decoded alone.
const DecodeMemory = 1 << 30

var decodeMemory = memoryBudget{all: DecodeMemory, free: DecodeMemory}

// memoryBudget is memory that is lent, first come, first served: a large image is not passed for ever by small ones.
type memoryBudget struct {
	mu      sync.Mutex
	all     int64
	free    int64
	waiting []*memoryRequest
}

// memoryRequest waits for its part of the budget.
type memoryRequest struct {
	bytes int64
	ready chan struct{} // closed when the bytes are taken
}

// acquire waits for memory. The caller gives it back by release.
func (b *memoryBudget) acquire(bytes int64) (release func()) {
	r := &memoryRequest{min(bytes, b.all), make(chan struct{})}
	b.change(func() { b.waiting = append(b.waiting, r) })
	<-r.ready
	return func() { b.change(func() { b.free += r.bytes }) }
}

// change does something to the budget, and then serves those at the head of the queue whose parts are free.
func (b *memoryBudget) change(do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	do()
	for len(b.waiting) > 0 && b.waiting[0].bytes <= b.free {
		b.free -= b.waiting[0].bytes
		close(b.waiting[0].ready)
		b.waiting = b.waiting[1:]
	}
}
