package tensor

import (
	"context"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"
)

// Device is a processor with its memory pool. All tensors of an operation are on the same device. A Device is safe for concurrent use.
type Device struct {
	backend Backend
	work    atomic.Uint64 // bits of the float64 that Work returns

	mu     sync.Mutex
	free   map[int][]Buffer // by size class, in bytes
	stats  MemStats
	poison bool
}

// MemStats counts the bytes of the memory pool of a device.
type MemStats struct {
	Held  int64 // allocated from the system and not returned
	InUse int64 // part of Held: in tensors that were neither released nor garbage-collected
	Peak  int64 // maximum of InUse so far
}

// NewDevice returns a device that runs a backend, with a memory pool of its own. Users call CPU, or the Open function of a backend.
func NewDevice(b Backend) *Device {
	return &Device{backend: b, free: map[int][]Buffer{}}
}

// Name returns the name of the device, for example "cpu/avx512".
func (d *Device) Name() string { return d.backend.Name() }

// Backend returns the backend of the device.
func (d *Device) Backend() Backend { return d.backend }

// Sync waits until all work given to the device is done, and returns its sticky error, if any.
func (d *Device) Sync(ctx context.Context) error { return d.backend.Sync(ctx) }

// Report describes the device, one fact a line: which processor it is, and what it does where it does not implement what was asked.
func (d *Device) Report() string { return d.backend.Report() }

// run is the only way to the operations of a backend. It calls f between Begin and End of the backend. On a device that has failed it
// does not call f.
func (d *Device) run(op string, p Precision, f func(o Ops)) {
	o := d.backend.Begin(op, p)
	if o == nil {
		return
	}
	defer o.End()
	f(o)
}

// Work returns how many floating-point operations the device was given so far, in matmuls, attention and lookups of codes, forward and backward.
// It is the same on every device and at every precision. Other operations are few beside these, and are not counted.
func (d *Device) Work() float64 { return math.Float64frombits(d.work.Load()) }

// AddWork counts operations that the caller does on the host in place of the device.
func (d *Device) AddWork(flops float64) {
	for {
		old := d.work.Load()
		if d.work.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+flops)) {
			return
		}
	}
}

// MemStats returns the counters of the memory pool.
func (d *Device) MemStats() MemStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Supports reports whether an operation has code of its own for precision p, High or Medium, on this device. If not, it is computed as at
// Highest. op is the name of a function of this package that has matmuls, such as "MatMul" or "Attention".
func (d *Device) Supports(op string, p Precision) bool { return d.backend.Supports(op, p) }

// FastPrecision returns Medium where the matmuls of this processor are known to be faster at it than at Highest, and Highest elsewhere. The answer
// comes from a table of processors and not from a measurement: it is always the same on one machine.
func (d *Device) FastPrecision() Precision { return d.backend.FastPrecision() }

// Variant names the code that matmuls at precision p run on: the level of a CPU, such as "avx2"; on a GPU "float32", "float16", or "coopmat"
// for cooperative matrices.
func (d *Device) Variant(p Precision) string { return d.backend.Variant(p) }

// Available returns how many bytes can still be allocated: of the machine's memory for a CPU, within the limits of its control groups and without
// swap space; of a GPU's heap. known is false where the system does not tell. What the pool holds is not part of it.
func (d *Device) Available() (bytes int64, known bool) { return d.backend.Available() }

// IsCPU reports whether d computes on the CPU, so that its tensors lie in the memory of the machine.
func (d *Device) IsCPU() bool {
	_, ok := d.backend.(*cpuBackend)
	return ok
}

// Trim returns pooled memory that no tensor uses to the system.
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

// SetPoison makes the pool fill released memory with NaN, so that tests notice a use after release.
func (d *Device) SetPoison(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.poison = on
}

// unreachable is memory whose tensors were garbage-collected before anybody released them.
type unreachable struct {
	buf   Buffer
	class int
}

// collect frees memory that was never released. It does not return to the pool: a kernel may still read it for a tensor that is not
// referenced any more.
func (d *Device) collect(f unreachable) {
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

// obtain returns a buffer of at least the given number of bytes, from the pool where possible, with uninitialised content.
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

// recycle returns a buffer to the pool.
func (d *Device) recycle(b Buffer, class int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poison {
		d.backend.Poison(b)
	}
	d.free[class] = append(d.free[class], b)
	d.stats.InUse -= int64(class)
}
