//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/gobeit/gobeit/tensor"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/mem"
	"github.com/gobeit/gobeit/tensor/vulkan/internal/shim"
	vk "github.com/vulkan-go/vulkan"
)

// block is one large piece of device memory with one buffer over all of it.
type block struct {
	memory vk.DeviceMemory
	buffer vk.Buffer
	size   int64
	mapped []byte // what the host sees of it, nil for memory of the device alone
}

// allocation is a region of a block: what tensors have as their Buffer.
type allocation struct{ mem.Region }

// Memory properties of Vulkan.
const (
	deviceLocal  = 1
	hostVisible  = 2
	hostCoherent = 4
	hostCached   = 8
)

// memoryAlign keeps regions apart as every driver wants them.
const memoryAlign = 256

// memoryBlock is the size of a block, memoryBlockSmall that on heaps below memorySmallHeap.
const (
	memoryBlock      = 256 << 20
	memoryBlockSmall = 64 << 20
	memorySmallHeap  = 2 << 30
)

func (b *backend) openMemory() {
	size := int64(memoryBlock)
	if b.info.Memory < memorySmallHeap {
		size = memoryBlockSmall
	}
	if b.info.Kind == "cpu" {
		size = 32 << 20 // it is the host's memory, and touched
	}
	limit := b.info.Memory / 10 * 8
	b.arena = mem.New(mem.Config{
		BlockSize: size, Align: max(memoryAlign, b.caps.align), Max: limit,
		Grow: func(id int, size int64) error { return b.grow(id, size, b.deviceType) }, Shrink: b.shrink,
	})
}

// deviceType prefers the device's own memory.
func (b *backend) deviceType(allowed uint32) int { return b.memoryType(allowed, deviceLocal, 0) }

// uploadType is memory that the host writes; downloadType memory that it reads.
func (b *backend) uploadType(allowed uint32) int {
	return b.memoryType(allowed, hostVisible|hostCoherent, hostVisible|hostCoherent)
}

func (b *backend) downloadType(allowed uint32) int {
	return b.memoryType(allowed, hostVisible|hostCoherent|hostCached, hostVisible|hostCoherent)
}

// memoryType returns the first allowed type with all that is liked, else the first with all that is needed, else -1.
func (b *backend) memoryType(allowed, liked, needed uint32) int {
	for _, want := range []uint32{liked, needed} {
		for k := range b.memory.MemoryTypeCount {
			if flags := uint32(b.memory.MemoryTypes[k].PropertyFlags); allowed>>k&1 == 1 && flags&want == want {
				return int(k)
			}
		}
	}
	return -1
}

// grow creates block id. Blocks that the host reads or writes have negative ids; they stay mapped.
func (b *backend) grow(id int, size int64, choose func(allowed uint32) int) error {
	const storage, source, destination = 0x20, 1, 2
	k := &block{size: size}
	info := vk.BufferCreateInfo{SType: vk.StructureTypeBufferCreateInfo, Size: vk.DeviceSize(size), Usage: storage | source | destination}
	code := cell(&k.buffer, func(p *vk.Buffer) vk.Result { return vk.CreateBuffer(b.device, &info, nil, p) })
	info.Free()
	if code != 0 {
		return fault("create a buffer", b.info.Name, code)
	}
	needs := new(vk.MemoryRequirements)
	vk.GetBufferMemoryRequirements(b.device, k.buffer, needs)
	needs.Deref()
	kind := choose(needs.MemoryTypeBits)
	if kind < 0 {
		vk.DestroyBuffer(b.device, k.buffer, nil)
		return &Error{Op: "allocate memory", Device: b.info.Name, Detail: "no type of memory fits"}
	}
	code = b.hook("allocate")
	if code == 0 {
		ask := vk.MemoryAllocateInfo{SType: vk.StructureTypeMemoryAllocateInfo, AllocationSize: needs.Size, MemoryTypeIndex: uint32(kind)}
		code = cell(&k.memory, func(p *vk.DeviceMemory) vk.Result { return vk.AllocateMemory(b.device, &ask, nil, p) })
		ask.Free()
	}
	if code == 0 {
		code = int(vk.BindBufferMemory(b.device, k.buffer, k.memory, 0))
	}
	if code == 0 && id < 0 {
		var at unsafe.Pointer
		code = cell(&at, func(p *unsafe.Pointer) vk.Result {
			return vk.MapMemory(b.device, k.memory, 0, vk.DeviceSize(size), 0, p)
		})
		if code == 0 {
			k.mapped = unsafe.Slice((*byte)(at), size)
		}
	}
	b.blocks[id] = k
	if code != 0 {
		b.shrink(id)
		return fault("allocate memory", b.info.Name, code)
	}
	return nil
}

func (b *backend) shrink(id int) {
	k := b.blocks[id]
	delete(b.blocks, id)
	vk.DestroyBuffer(b.device, k.buffer, nil)
	if k.memory != vk.NullDeviceMemory {
		vk.FreeMemory(b.device, k.memory, nil)
	}
}

// Alloc takes a region. When memory is short it gives back what nothing uses and tries once more; then the error says what was asked and
// what was free.
func (b *backend) Alloc(bytes int) (tensor.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, err := b.alloc(int64(bytes))
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (b *backend) alloc(bytes int64) (allocation, error) {
	r, err := b.arena.Alloc(bytes)
	if err != nil && b.err == nil {
		if b.finish() == nil {
			b.arena.Trim()
		}
		r, err = b.arena.Alloc(bytes)
	}
	if err != nil {
		s := b.arena.Stats()
		var full *mem.FullError
		if errors.As(err, &full) || errors.Is(err, ErrOutOfMemory) {
			err = &Error{
				Op: "allocate memory", Device: b.info.Name, Err: ErrOutOfMemory,
				Detail: fmt.Sprintf("%d MiB asked, %d MiB in use of %d MiB: lower the batch", bytes>>20, s.InUse>>20, b.info.Memory>>20),
			}
		}
		return allocation{}, err
	}
	return allocation{r}, nil
}

// Free gives a region back. Work given before may still use it; what is recorded later and uses it again waits for that work, and so does
// the end of its block.
func (b *backend) Free(buf tensor.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.arena.Free(buf.(allocation).Region)
}

// Poison fills a region with NaN.
func (b *backend) Poison(buf tensor.Buffer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := buf.(allocation)
	b.push("Poison", shim.Op{Kind: shim.Fill, Dst: b.handleOf(a.Block), To: uint64(a.Offset), Size: uint64(a.Size), Words: 1, Push: [shim.MaxPush]uint32{0x7fc00000}},
		float64(a.Size)/4, access(a, 0, a.Size, true))
}

func (b *backend) handleOf(id int) uint64 {
	return uint64(uintptr(unsafe.Pointer(b.blocks[id].buffer)))
}
