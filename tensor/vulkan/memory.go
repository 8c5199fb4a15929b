//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/internal/hostmem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// block is one large piece of device memory with one buffer over all of it.
type block struct {
	memory uint64
	buffer uint64
	mapped []byte // what the host sees of it, nil for memory of the device alone
	cached bool   // the host reads it fast
}

// buffer is a region of a block: what tensors have as their Buffer. A buffer of size 0 belongs to a device that has failed.
type buffer struct {
	mem.Region
	last uint64 // number of the last submission that touches it
}

// memoryAlign keeps regions apart as every driver wants them.
const memoryAlign = 256

// memoryBlock is the size of a block, memoryBlockSmall that on heaps below memorySmallHeap, memoryBlockCPU that in the host's own memory.
const (
	memoryBlock      = 256 << 20
	memoryBlockSmall = 64 << 20
	memoryBlockCPU   = 32 << 20
	memorySmallHeap  = 2 << 30
)

func (b *backend) openMemory(o Options) {
	size := int64(memoryBlock)
	switch {
	case b.info.Kind == "cpu":
		size = memoryBlockCPU
	case b.info.Memory < memorySmallHeap:
		size = memoryBlockSmall
	}
	b.limit = o.MaxMemory
	if b.limit <= 0 {
		b.limit = b.spare()
	}
	b.arena = mem.New(mem.Config{
		BlockSize: min(size, max(b.limit/8, memoryAlign), b.caps.maxMemory), Align: max(memoryAlign, b.caps.align), Max: b.limit,
		Grow: func(id int, size int64) error { return b.grow(id, size, b.deviceType) }, Shrink: b.shrink,
	})
}

// spare is how much memory there is for us: what the driver says, else four fifths of the device's own.
func (b *backend) spare() int64 {
	if t := b.deviceType(^uint32(0)); t >= 0 && b.physical.caps.MemoryBudget {
		heap := b.memory.Types[t].Heap
		if budget, usage := b.physical.caps.Budget[heap], b.physical.caps.Usage[heap]; budget > usage {
			return int64(budget - usage)
		}
	}
	return b.info.Memory / 5 * 4
}

// grow creates block id. Blocks for the host have negative ids. What the host can see stays mapped.
func (b *backend) grow(id int, size int64, choose func(allowed uint32) int) error {
	k := &block{}
	var code int
	if k.buffer, code = b.calls.Buffer(uint64(size)); code != 0 {
		return fault("create a buffer", b.info.Name, code)
	}
	needs := b.calls.Needs(k.buffer)
	kind := choose(needs.Types)
	if kind < 0 {
		b.destroy(k)
		return &Error{Op: "allocate memory", Device: b.info.Name, Detail: "no type of memory fits"}
	}
	if code = b.hook("allocate"); code == 0 {
		k.memory, code = b.calls.Allocate(needs.Size, uint32(kind))
	}
	if code == 0 {
		code = b.calls.Bind(k.buffer, k.memory)
	}
	flags := b.flags(kind)
	if code == 0 && flags&hostWrites == hostWrites && (id < 0 || !b.staged) {
		k.mapped, code = b.calls.Map(k.memory, uint64(size))
		k.cached = flags&hostCached != 0
	}
	if code != 0 {
		b.destroy(k)
		return fault("allocate memory", b.info.Name, code)
	}
	b.blocks[id] = k
	return nil
}

// shrink destroys a block. The device has nothing to do. Descriptor sets may name the block's buffer, so none is kept.
func (b *backend) shrink(id int) {
	b.sets.forget(b)
	b.destroy(b.blocks[id])
	delete(b.blocks, id)
}

func (b *backend) destroy(k *block) {
	b.calls.Destroy(vk.Buffer, k.buffer)
	b.calls.Destroy(vk.DeviceMemory, k.memory)
}

// Alloc allocates a region. When memory is short it releases unused memory and tries once more. The error says what was asked and
// what was free. A device that has failed gives memory that nothing is done with.
func (b *backend) Alloc(bytes int) (tensor.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.alloc(int64(bytes))
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (b *backend) alloc(bytes int64) (*buffer, *Error) {
	if b.err != nil {
		return &buffer{}, nil
	}
	if bytes > b.caps.maxMemory {
		return nil, &Error{Op: "allocate memory", Device: b.info.Name, Err: ErrOutOfMemory, Detail: fmt.Sprintf(
			"%s asked for one tensor, the driver gives at most %s at once: take a smaller batch or layer", hostmem.Text(bytes), hostmem.Text(b.caps.maxMemory))}
	}
	r, err := b.take(bytes)
	if err != nil {
		if b.trim(); b.err != nil {
			return &buffer{}, nil
		}
		r, err = b.take(bytes)
	}
	if err == nil {
		return &buffer{r, b.batch.latest()}, nil // who had the memory before may still be at work on it
	}
	failed, full := (*Error)(nil), (*mem.FullError)(nil)
	if errors.As(err, &full) || errors.Is(err, ErrOutOfMemory) {
		used := b.arena.Stats().InUse
		failed = &Error{Op: "allocate memory", Device: b.info.Name, Err: ErrOutOfMemory, Detail: fmt.Sprintf(
			"%s asked, %s free of %s: lower the batch", hostmem.Text(bytes), hostmem.Text(b.limit-used), hostmem.Text(b.limit))}
	} else {
		errors.As(err, &failed)
	}
	return nil, failed
}

func (b *backend) take(bytes int64) (mem.Region, error) {
	if bytes > b.limit {
		return mem.Region{}, &mem.FullError{Asked: bytes}
	}
	return b.arena.Alloc(bytes)
}

// trim gives blocks that nothing uses back to the system, once the device has nothing to do.
func (b *backend) trim() {
	if b.drain(); b.err == nil {
		b.arena.Trim()
		b.freed = false
	}
}

// Free gives a region back. Work given before may still use it: what is recorded later and uses it again waits for that work. The system
// gets whole blocks, at the next Sync.
func (b *backend) Free(buf tensor.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := buf.(*buffer); a.Size > 0 && !b.closed {
		b.arena.Free(a.Region)
		b.freed = true
	}
}

// Available is what is left of the heap for us.
func (b *backend) Available() (int64, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.limit - b.arena.Stats().InUse, true
}

// Poison fills a region with NaN, whether seen as float32 or as bfloat16.
func (b *backend) Poison(buf tensor.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := buf.(*buffer); a.Size > 0 && !b.closed {
		b.fill("Poison", a, 0x7fc07fc0)
	}
}

// fill records setting every word of a buffer.
func (b *backend) fill(name string, a *buffer, word uint32) {
	if b.err != nil {
		return
	}
	op := vk.Op{Kind: vk.Fill, Dst: b.handleOf(a.Block), To: uint64(a.Offset), Size: uint64(a.Size), Words: 1}
	op.Push[0] = word
	a.last = b.batch.submitted + 1
	b.push(name, op, perElement*float64(a.Size)/4, access(a, 0, a.Size, true))
}

func (b *backend) handleOf(id int) uint64 { return b.blocks[id].buffer }
