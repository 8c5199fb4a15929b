package tensor

import (
	"errors"
	"strings"
	"testing"
)

// An allocation that the machine has no memory for is an *Error, before anything is taken. Memory that the pool keeps is given up first.
func TestAllocationBeyondMemory(t *testing.T) {
	real := heapRoom
	defer func() {
		heapRoom = real
		unlooked.Store(0)
	}()
	room, looks := int64(1<<20), 0
	heapRoom = func() (int64, bool) {
		looks++
		return room, true
	}
	unlooked.Store(0)
	dev := newDevice()
	Zeros(dev, 100, 1000).Release() // fits, and stays in the pool
	var failed *Error
	func() {
		defer func() { failed, _ = recover().(*Error) }()
		New(dev, 1024, 512)
	}()
	if failed == nil || !errors.Is(failed, ErrOutOfMemory) || !strings.Contains(failed.Error(), "2.0 MiB asked, 1.0 MiB free for a tensor of shape [1024 512]") {
		t.Fatalf("got %v", failed)
	}
	if held := dev.MemStats().Held; held != 0 {
		t.Errorf("the pool still holds %d bytes", held)
	}
	if x := Full(dev, 2, 256, 512); x.Float32s()[256*512-1] != 2 { // as much as there is
		t.Error("the device does not go on")
	}
	room, looks = 1<<40, 0
	unlooked.Store(0)
	for range 10 {
		New(dev, 1<<20)
	}
	if looks != 1 {
		t.Errorf("%d looks at the free memory for 40 MiB", looks)
	}
	heapRoom = func() (int64, bool) { return 0, false }
	unlooked.Store(0)
	New(dev, 1<<20) // where nothing is known, nothing is refused
}
