package data

import (
	"runtime"
	"testing"
)

// lent is how many bytes are lent.
func (b *memoryBudget) lent() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all - b.free
}

// queued is how many requests wait.
func (b *memoryBudget) queued() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

// until lets other goroutines run until a condition holds.
func until(holds func() bool) {
	for !holds() {
		runtime.Gosched()
	}
}

func TestMemoryBudget(t *testing.T) {
	b := &memoryBudget{free: 100, all: 100}
	first, second := b.acquire(60), b.acquire(40)

	// Whoever comes later waits behind the large one, which waits for everything.
	order := make(chan string, 2)
	waitFor := func(name string, bytes int64) {
		go func() {
			release := b.acquire(bytes)
			order <- name
			release()
		}()
	}
	waitFor("large", 1000)
	until(func() bool { return b.queued() == 1 })
	waitFor("small", 1)
	until(func() bool { return b.queued() == 2 })
	first()
	if got := b.lent(); got != 40 {
		t.Errorf("%d bytes are lent, want 40", got)
	}
	second()
	if a, b := <-order, <-order; a != "large" || b != "small" {
		t.Errorf("%s before %s", a, b)
	}
	until(func() bool { return b.lent() == 0 })
}

// An image that is refused gives its memory back.
func TestDecodeReleasesMemory(t *testing.T) {
	whole := decodeMemory.free
	for _, content := range [][]byte{pngHeader(90, 90), smallPNG} {
		Decode(content, DefaultLimits)
	}
	if decodeMemory.free != whole {
		t.Errorf("%d bytes were not given back", whole-decodeMemory.free)
	}
}
