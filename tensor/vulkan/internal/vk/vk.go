// Package vk says which calls of Vulkan the backend needs, in Go's own types. Two packages make them: shim through cgo and
// github.com/vulkan-go/vulkan, direct without a C compiler. Which of them a build has is said in tensor/vulkan, in open_cgo.go and open_direct.go.
//
// Handles are uint64, 0 for none. Results are Vulkan's result codes, 0 for success. Calls on one device must not run at the same time, but for
// WaitFence. Instances may be used from any goroutine.
package vk

import "fmt"

// Why there is no instance, beside Vulkan's results.
const (
	NoLoader  = 1<<31 - 1 // no file of that name, or it is none
	BadLoader = NoLoader - 1
)

// Instance is Vulkan in this process, of which the binding of one package knows one.
type Instance interface {
	// Messages returns how many messages the validation layer gave so far, and the first ones.
	Messages() (int, string)
	// Physicals lists the physical devices.
	Physicals() ([]uint64, int)
	Properties(physical uint64) Properties
	Memory(physical uint64) Memory
	Families(physical uint64) []Family
	// Query asks what a physical device offers beyond the structs of Vulkan 1.0.
	Query(physical uint64) Caps
	// Shapes lists the products with float16 factors and float32 sums that a subgroup can make, on a device whose Caps say CoopMatrix.
	Shapes(physical uint64) []Shape
	// NewDevice creates a logical device with one queue of the family and the features that on names.
	NewDevice(physical uint64, family uint32, on Caps) (Device, int)
}

// Device is a logical device and its queue.
type Device interface {
	// Close destroys the device, whose objects must be gone.
	Close()
	// Wait waits until the device has nothing to do.
	Wait()
	// Destroy destroys an object, or none if the handle is 0.
	Destroy(o Object, handle uint64)

	// Buffer creates a buffer for shaders and copies. Needs says what memory it takes.
	Buffer(size uint64) (buffer uint64, code int)
	Needs(buffer uint64) Needs
	Allocate(size uint64, memoryType uint32) (memory uint64, code int)
	Bind(buffer, memory uint64) int
	// Map returns memory as the host sees it, until the memory is destroyed.
	Map(memory, size uint64) ([]byte, int)

	// SetLayout creates the layout of a set of storage buffers, PipelineLayout that of a pipeline with one set and MaxPush words of push constants.
	SetLayout(bindings int) (layout uint64, code int)
	PipelineLayout(set uint64) (layout uint64, code int)
	// DescriptorPool creates a pool of sets with as many buffers in all, DescriptorSet allocates one of its sets and fills it.
	DescriptorPool(sets, buffers int) (pool uint64, code int)
	DescriptorSet(pool, layout uint64, b []Binding) (set uint64, code int)

	// Cache creates a pipeline cache with what CacheData returned earlier, or with nil.
	Cache(data []byte) (cache uint64, code int)
	CacheData(cache uint64) ([]byte, int)
	// Module hands SPIR-V to the driver.
	Module(code []byte) (module uint64, result int)
	// Pipeline creates a compute pipeline. spec[i] is the constant with id i; subgroup, if not 0, is the subgroup size that it must run with, all
	// subgroups full.
	Pipeline(cache, module, layout uint64, spec []uint32, subgroup uint32) (pipeline uint64, code int)
	// Statistics returns the numbers that the driver's compiler gives of a pipeline, by the driver's names for them, and Assembly the text of what it
	// made, "" where the driver shows none. Both are for devices with Caps.Statistics.
	Statistics(pipeline uint64) map[string]uint64
	Assembly(pipeline uint64) string

	CommandPool(family uint32) (pool uint64, code int)
	CommandBuffer(pool uint64) (commands uint64, code int)
	// Record fills a command buffer with ops. With queries, a pool of timestamps, the times of begin and end go to its queries first and first+1.
	Record(commands uint64, ops []Op, queries uint64, first int) int
	// Submit hands a command buffer to the queue; fence is signalled when it is done.
	Submit(commands, fence uint64) int

	Fence() (fence uint64, code int)
	ResetFence(fence uint64) int
	// WaitFence waits for so many nanoseconds at most. It may run beside other calls.
	WaitFence(fence, nanoseconds uint64) int
	FenceStatus(fence uint64) int
	// Queries creates a pool of n timestamps; Times reads two of them.
	Queries(n int) (pool uint64, code int)
	Times(pool uint64, first int) ([2]uint64, int)
}

// Object is a kind of what Destroy destroys.
type Object int

// The kinds of objects. Sets and command buffers go with their pools.
const (
	Buffer Object = iota
	DeviceMemory
	SetLayout
	PipelineLayout
	DescriptorPool
	PipelineCache
	Module
	Pipeline
	CommandPool
	Fence
	QueryPool
	Objects // how many kinds there are
)

// Properties is what is asked of VkPhysicalDeviceProperties.
type Properties struct {
	APIVersion, DriverVersion, VendorID, DeviceID uint32

	Type              uint32 // VkPhysicalDeviceType
	Name              string
	PipelineCacheUUID [16]byte
	Limits            Limits
}

// Limits is what is asked of VkPhysicalDeviceLimits.
type Limits struct {
	MaxStorageBufferRange, MaxPushConstantsSize, MaxPerStageDescriptorStorageBuffers uint32

	MaxComputeSharedMemorySize, MaxComputeWorkGroupInvocations uint32

	MaxComputeWorkGroupCount        [3]uint32
	MinStorageBufferOffsetAlignment uint64
	TimestampPeriod                 float32 // nanoseconds
}

// Memory is the memory of a physical device.
type Memory struct {
	Types []MemoryType
	Heaps []Heap
}

// MemoryType has VkMemoryPropertyFlags and the index of its heap.
type MemoryType struct{ Flags, Heap uint32 }

// Heap has VkMemoryHeapFlags and bytes.
type Heap struct {
	Size  uint64
	Flags uint32
}

// Family is a queue family: VkQueueFlags, how many queues, and how many bits its timestamps have.
type Family struct{ Flags, Count, TimestampBits uint32 }

// Caps is what a device offers beyond the structs of Vulkan 1.0. With NewDevice, what is to be on.
type Caps struct {
	SubgroupSize, SubgroupStages, SubgroupOperations uint32

	Storage16, Float16 bool // 16-bit values in storage buffers; arithmetic on them
	CoopMatrix         bool // VK_KHR_cooperative_matrix, with what it needs
	MemoryBudget       bool // VK_EXT_memory_budget
	Statistics         bool // VK_KHR_pipeline_executable_properties, which Query does not look for: see Device.Statistics
	MaxAllocation      uint64
	Budget, Usage      [16]uint64
	Driver             string
}

// Shape is a product of cooperative matrices, M x K by K x N.
type Shape struct{ M, N, K uint32 }

// String is "16x16x16".
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.M, s.N, s.K) }

// Needs is what memory a buffer takes; bit i of Types stands for memory type i.
type Needs struct {
	Size  uint64
	Types uint32
}

// MaxBindings is the largest number of buffers of one set, MaxPush of 32-bit words pushed with one dispatch, MaxSpec of specialization
// constants.
const (
	MaxBindings = 8
	MaxPush     = 32
	MaxSpec     = 16
)

// Binding is one storage buffer of a set, laid out as VkDescriptorBufferInfo.
type Binding struct{ Buffer, Offset, Range uint64 }

// The kinds of Op.
const (
	Dispatch = iota
	Copy
	Fill
)

// Op is one recorded command, laid out as shim_op of package shim.
type Op struct {
	Kind, Barrier         uint32
	Pipeline, Layout, Set uint64 // Dispatch
	Src, Dst              uint64 // buffers of Copy and Fill
	From, To, Size        uint64 // in bytes
	Groups                [3]uint32
	Words                 uint32 // of Push
	Push                  [MaxPush]uint32
}
