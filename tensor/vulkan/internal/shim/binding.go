//go:build cgo && ((linux && !android) || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package shim

import (
	"runtime"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
	"github.com/vulkan-go/vulkan"
)

// The calls that the binding makes: those whose structs hold no arrays of structs.

// pointer turns a handle into one of the binding: both are the 64 bits that the driver gave.
func pointer(handle uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&handle)) }

// number is the inverse of pointer.
func number(handle unsafe.Pointer) uint64 { return uint64(uintptr(handle)) }

// cell calls f with memory of its own for a result, as cgo's rules for pointers want it.
func cell[T any](dst *T, f func(*T) vulkan.Result) int {
	p := new(T)
	*p = *dst
	r := f(p)
	*dst = *p
	return int(r)
}

// made returns the handle that f makes. T is one of the binding's handles.
func made[T any](f func(handle *T) vulkan.Result) (uint64, int) {
	handle := new(T)
	code := int(f(handle))
	return number(*(*unsafe.Pointer)(unsafe.Pointer(handle))), code
}

func (i *instance) Physicals() ([]uint64, int) {
	var n uint32
	if code := cell(&n, func(n *uint32) vulkan.Result { return vulkan.EnumeratePhysicalDevices(i.v, n, nil) }); code != 0 || n == 0 {
		return nil, code
	}
	handles := make([]vulkan.PhysicalDevice, n)
	code := cell(&n, func(n *uint32) vulkan.Result { return vulkan.EnumeratePhysicalDevices(i.v, n, handles) })
	if code < 0 {
		return nil, code
	}
	all := make([]uint64, n)
	for k := range all {
		all[k] = number(unsafe.Pointer(handles[k]))
	}
	return all, 0
}

func (i *instance) Properties(physical uint64) vk.Properties {
	p := new(vulkan.PhysicalDeviceProperties)
	vulkan.GetPhysicalDeviceProperties(vulkan.PhysicalDevice(pointer(physical)), p)
	p.Deref()
	p.Limits.Deref()
	l := &p.Limits
	return vk.Properties{
		APIVersion: p.ApiVersion, DriverVersion: p.DriverVersion, VendorID: p.VendorID, DeviceID: p.DeviceID,
		Type: uint32(p.DeviceType), Name: vulkan.ToString(p.DeviceName[:]), PipelineCacheUUID: p.PipelineCacheUUID,
		Limits: vk.Limits{
			MaxStorageBufferRange: l.MaxStorageBufferRange, MaxPushConstantsSize: l.MaxPushConstantsSize,
			MaxPerStageDescriptorStorageBuffers: l.MaxPerStageDescriptorStorageBuffers, MaxComputeSharedMemorySize: l.MaxComputeSharedMemorySize,
			MaxComputeWorkGroupInvocations: l.MaxComputeWorkGroupInvocations, MaxComputeWorkGroupCount: l.MaxComputeWorkGroupCount,
			MinStorageBufferOffsetAlignment: uint64(l.MinStorageBufferOffsetAlignment), TimestampPeriod: l.TimestampPeriod,
		},
	}
}

func (i *instance) Memory(physical uint64) (out vk.Memory) {
	m := new(vulkan.PhysicalDeviceMemoryProperties)
	vulkan.GetPhysicalDeviceMemoryProperties(vulkan.PhysicalDevice(pointer(physical)), m)
	m.Deref()
	for k := range m.MemoryTypeCount {
		t := &m.MemoryTypes[k]
		t.Deref()
		out.Types = append(out.Types, vk.MemoryType{Flags: uint32(t.PropertyFlags), Heap: t.HeapIndex})
	}
	for k := range m.MemoryHeapCount {
		h := &m.MemoryHeaps[k]
		h.Deref()
		out.Heaps = append(out.Heaps, vk.Heap{Size: uint64(h.Size), Flags: uint32(h.Flags)})
	}
	return out
}

func (d *device) Wait() { vulkan.DeviceWaitIdle(d.v) }

func (d *device) Destroy(o vk.Object, handle uint64) {
	p := pointer(handle)
	switch o {
	case vk.Buffer:
		vulkan.DestroyBuffer(d.v, vulkan.Buffer(p), nil)
	case vk.DeviceMemory:
		vulkan.FreeMemory(d.v, vulkan.DeviceMemory(p), nil)
	case vk.SetLayout:
		vulkan.DestroyDescriptorSetLayout(d.v, vulkan.DescriptorSetLayout(p), nil)
	case vk.PipelineLayout:
		vulkan.DestroyPipelineLayout(d.v, vulkan.PipelineLayout(p), nil)
	case vk.DescriptorPool:
		vulkan.DestroyDescriptorPool(d.v, vulkan.DescriptorPool(p), nil)
	case vk.PipelineCache:
		vulkan.DestroyPipelineCache(d.v, vulkan.PipelineCache(p), nil)
	case vk.Module:
		vulkan.DestroyShaderModule(d.v, vulkan.ShaderModule(p), nil)
	case vk.Pipeline:
		vulkan.DestroyPipeline(d.v, vulkan.Pipeline(p), nil)
	case vk.CommandPool:
		vulkan.DestroyCommandPool(d.v, vulkan.CommandPool(p), nil)
	case vk.Fence:
		vulkan.DestroyFence(d.v, vulkan.Fence(p), nil)
	case vk.QueryPool:
		vulkan.DestroyQueryPool(d.v, vulkan.QueryPool(p), nil)
	}
}

func (d *device) Buffer(size uint64) (uint64, int) {
	const storage, source, destination = 0x20, 1, 2
	info := vulkan.BufferCreateInfo{SType: vulkan.StructureTypeBufferCreateInfo, Size: vulkan.DeviceSize(size), Usage: storage | source | destination}
	defer info.Free()
	return made(func(p *vulkan.Buffer) vulkan.Result { return vulkan.CreateBuffer(d.v, &info, nil, p) })
}

func (d *device) Needs(buffer uint64) vk.Needs {
	needs := new(vulkan.MemoryRequirements)
	vulkan.GetBufferMemoryRequirements(d.v, vulkan.Buffer(pointer(buffer)), needs)
	needs.Deref()
	return vk.Needs{Size: uint64(needs.Size), Types: needs.MemoryTypeBits}
}

func (d *device) Allocate(size uint64, memoryType uint32) (uint64, int) {
	info := vulkan.MemoryAllocateInfo{SType: vulkan.StructureTypeMemoryAllocateInfo, AllocationSize: vulkan.DeviceSize(size), MemoryTypeIndex: memoryType}
	defer info.Free()
	return made(func(p *vulkan.DeviceMemory) vulkan.Result {
		return vulkan.AllocateMemory(d.v, &info, nil, p)
	})
}

func (d *device) Bind(buffer, memory uint64) int {
	return int(vulkan.BindBufferMemory(d.v, vulkan.Buffer(pointer(buffer)), vulkan.DeviceMemory(pointer(memory)), 0))
}

func (d *device) Map(memory, size uint64) ([]byte, int) {
	var at unsafe.Pointer
	code := cell(&at, func(p *unsafe.Pointer) vulkan.Result {
		return vulkan.MapMemory(d.v, vulkan.DeviceMemory(pointer(memory)), 0, vulkan.DeviceSize(size), 0, p)
	})
	if code != 0 {
		return nil, code
	}
	return unsafe.Slice((*byte)(at), size), 0
}

func (d *device) Cache(data []byte) (uint64, int) {
	info := vulkan.PipelineCacheCreateInfo{
		SType: vulkan.StructureTypePipelineCacheCreateInfo, InitialDataSize: uint(len(data)), PInitialData: unsafe.Pointer(unsafe.SliceData(data)),
	}
	defer info.Free()
	defer runtime.KeepAlive(data)
	return made(func(p *vulkan.PipelineCache) vulkan.Result {
		return vulkan.CreatePipelineCache(d.v, &info, nil, p)
	})
}

func (d *device) CacheData(cache uint64) ([]byte, int) {
	var n uint
	c := vulkan.PipelineCache(pointer(cache))
	if code := cell(&n, func(n *uint) vulkan.Result { return vulkan.GetPipelineCacheData(d.v, c, n, nil) }); code != 0 || n == 0 {
		return nil, code
	}
	data := make([]byte, n)
	code := cell(&n, func(n *uint) vulkan.Result { return vulkan.GetPipelineCacheData(d.v, c, n, unsafe.Pointer(&data[0])) })
	return data[:n], code
}

func (d *device) Module(code []byte) (uint64, int) {
	words := unsafe.Slice((*uint32)(unsafe.Pointer(&code[0])), len(code)/4)
	info := vulkan.ShaderModuleCreateInfo{SType: vulkan.StructureTypeShaderModuleCreateInfo, CodeSize: uint(len(code)), PCode: words}
	defer info.Free()
	return made(func(p *vulkan.ShaderModule) vulkan.Result {
		return vulkan.CreateShaderModule(d.v, &info, nil, p)
	})
}

func (d *device) CommandPool(family uint32) (uint64, int) {
	info := vulkan.CommandPoolCreateInfo{SType: vulkan.StructureTypeCommandPoolCreateInfo, Flags: 2, QueueFamilyIndex: family} // buffers are reset one by one
	defer info.Free()
	return made(func(p *vulkan.CommandPool) vulkan.Result {
		return vulkan.CreateCommandPool(d.v, &info, nil, p)
	})
}

func (d *device) CommandBuffer(pool uint64) (uint64, int) {
	info := vulkan.CommandBufferAllocateInfo{
		SType: vulkan.StructureTypeCommandBufferAllocateInfo, CommandPool: vulkan.CommandPool(pointer(pool)),
		Level: vulkan.CommandBufferLevelPrimary, CommandBufferCount: 1,
	}
	defer info.Free()
	one := make([]vulkan.CommandBuffer, 1)
	code := int(vulkan.AllocateCommandBuffers(d.v, &info, one))
	return number(unsafe.Pointer(one[0])), code
}

func (d *device) Fence() (uint64, int) {
	info := vulkan.FenceCreateInfo{SType: vulkan.StructureTypeFenceCreateInfo}
	defer info.Free()
	return made(func(p *vulkan.Fence) vulkan.Result { return vulkan.CreateFence(d.v, &info, nil, p) })
}

func (d *device) ResetFence(fence uint64) int {
	return int(vulkan.ResetFences(d.v, 1, []vulkan.Fence{vulkan.Fence(pointer(fence))}))
}

func (d *device) WaitFence(fence, nanoseconds uint64) int {
	return int(vulkan.WaitForFences(d.v, 1, []vulkan.Fence{vulkan.Fence(pointer(fence))}, vulkan.True, nanoseconds))
}

func (d *device) FenceStatus(fence uint64) int {
	return int(vulkan.GetFenceStatus(d.v, vulkan.Fence(pointer(fence))))
}

func (d *device) Queries(n int) (uint64, int) {
	info := vulkan.QueryPoolCreateInfo{SType: vulkan.StructureTypeQueryPoolCreateInfo, QueryType: vulkan.QueryTypeTimestamp, QueryCount: uint32(n)}
	defer info.Free()
	return made(func(p *vulkan.QueryPool) vulkan.Result {
		return vulkan.CreateQueryPool(d.v, &info, nil, p)
	})
}

func (d *device) Times(pool uint64, first int) ([2]uint64, int) {
	const bits64 = 1
	times := new([2]uint64)
	code := int(vulkan.GetQueryPoolResults(d.v, vulkan.QueryPool(pointer(pool)), uint32(first), 2, 16, unsafe.Pointer(times), 8, bits64))
	return *times, code
}
