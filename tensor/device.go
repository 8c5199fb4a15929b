package tensor

import (
	"context"
	"math/bits"
	"sync"
)

// Device is a processor with its memory pool. Tensors of one operation must share it.
// A Device is safe for concurrent use.
type Device struct {
	backend Backend

	mu     sync.Mutex
	free   map[int][]Buffer // by size class, in bytes
	stats  MemStats
	poison bool
}

// MemStats counts the bytes of a device's pool.
type MemStats struct {
	Held  int64 // obtained from the system and not given back
	InUse int64 // of these, in tensors that were neither released nor collected as garbage
	Peak  int64 // the largest InUse so far
}

// NewDevice wraps a backend. Users call CPU, or a backend's own Open.
func NewDevice(b Backend) *Device {
	return &Device{backend: b, free: map[int][]Buffer{}}
}

// Name says which processor this is, for example "cpu/avx512".
func (d *Device) Name() string { return d.backend.Name() }

// Backend gives access to the device's backend.
func (d *Device) Backend() Backend { return d.backend }

// Sync waits until all work given to the device is done and returns its sticky error, if any.
func (d *Device) Sync(ctx context.Context) error { return d.backend.Sync(ctx) }

// Report lists what a user should know about the device, one fact a line: how it does what it cannot do as asked.
func (d *Device) Report() string { return d.backend.Report() }

// run is the one way to the operations of a backend: it computes f between the backend's Begin and End. On a device that has failed f is not
// called.
func (d *Device) run(op string, p Precision, f func(o Ops)) {
	o := d.backend.Begin(op, p)
	if o == nil {
		return
	}
	defer o.End()
	f(o)
}

// MemStats returns the pool's counters.
func (d *Device) MemStats() MemStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Supports says whether matrix products at precision p are others on this device than at Highest.
func (d *Device) Supports(p Precision) bool { return d.backend.Supports(p) }

// Trim gives memory that no tensor uses back to the system.
func (d *Device) Trim() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trim()
}

func (d *Device) trim() {
	for class, list := range d.free {
		for _, b := range list {
			d.backend.Free(b)
			d.stats.Held -= int64(class)
		}
		delete(d.free, class)
	}
}

// SetPoison makes the pool fill released memory with NaN, so that a use after release shows. For tests.
func (d *Device) SetPoison(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.poison = on
}

// forgotten is memory whose tensors the garbage collector found before anybody released them.
type forgotten struct {
	buf   Buffer
	class int
}

// forget frees memory that was never released. It does not go to the pool: a kernel may still be reading it on behalf of a tensor
// that nothing else refers to any more.
func (d *Device) forget(f forgotten) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.backend.Free(f.buf)
	d.stats.Held -= int64(f.class)
	d.stats.InUse -= int64(f.class)
}

// sizeClass rounds bytes up to one of 16 steps between powers of two, so that at most a sixteenth is added; small sizes to 256.
func sizeClass(bytes int) int {
	if bytes <= 256 {
		return 256
	}
	step := max(256, 1<<(bits.Len(uint(bytes-1))-5))
	return (bytes + step - 1) / step * step
}

// obtain returns a buffer of at least bytes bytes, recycled where possible. Its content is undefined.
func (d *Device) obtain(bytes int) (Buffer, int, error) {
	class := sizeClass(bytes)
	d.mu.Lock()
	defer d.mu.Unlock()
	var b Buffer
	if list := d.free[class]; len(list) > 0 {
		b = list[len(list)-1]
		d.free[class] = list[:len(list)-1]
	} else {
		var err error
		if b, err = d.backend.Alloc(class); err != nil { // of what the pool holds, other classes may be in the way
			d.trim()
			b, err = d.backend.Alloc(class)
		}
		if err != nil {
			return nil, 0, err
		}
		d.stats.Held += int64(class)
	}
	d.stats.InUse += int64(class)
	d.stats.Peak = max(d.stats.Peak, d.stats.InUse)
	return b, class, nil
}

// recycle takes a buffer back.
func (d *Device) recycle(b Buffer, class int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poison {
		d.backend.Poison(b)
	}
	d.free[class] = append(d.free[class], b)
	d.stats.InUse -= int64(class)
}
