package data

import (
	"context"
	"errors"
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
	ctx := context.Background()
	b := &memoryBudget{free: 100, all: 100}
	lend := func(bytes int64) func() {
		release, err := b.acquire(ctx, bytes)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	first, second := lend(60), lend(40)

	// Whoever comes later waits behind the large one, which waits for everything.
	order := make(chan string, 2)
	waitFor := func(name string, bytes int64) {
		go func() {
			release, err := b.acquire(ctx, bytes)
			if err != nil {
				name = err.Error()
			}
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

func TestMemoryBudgetInterrupted(t *testing.T) {
	b := &memoryBudget{free: 100, all: 100}
	release, err := b.acquire(context.Background(), 100)
	if err != nil {
		t.Fatal(err)
	}
	stop := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stop)
	if _, err := b.acquire(ctx, 1); !errors.Is(err, stop) {
		t.Errorf("error is %v", err)
	}
	release()
	if got := b.lent(); got != 0 || b.queued() != 0 {
		t.Errorf("%d bytes are lent, %d wait", got, b.queued())
	}
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

// A decode that must wait ends with its context.
func TestDecodeWithin(t *testing.T) {
	release, err := decodeMemory.acquire(context.Background(), DecodeMemory)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Decode(smallPNG, DefaultLimits, Within(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}
