//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package shim

/*
#cgo linux freebsd LDFLAGS: -ldl -lpthread
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// OpenLoader returns vkGetInstanceProcAddr of the first loader found, or nil.
func OpenLoader(names []string) unsafe.Pointer {
	for _, name := range names {
		c := C.CString(name)
		p := C.shim_open_loader(c)
		C.free(unsafe.Pointer(c))
		if p != nil {
			return unsafe.Pointer(p)
		}
	}
	return nil
}

// Instance is a Vulkan instance, in C memory.
type Instance struct{ c *C.shim_instance }

// NewInstance creates an instance for the given version of Vulkan, with the validation layer if asked.
func NewInstance(loader unsafe.Pointer, version uint32, validate bool) (*Instance, int) {
	i := &Instance{(*C.shim_instance)(C.calloc(1, C.sizeof_shim_instance))}
	on := C.int(0)
	if validate {
		on = 1
	}
	if r := C.shim_create_instance(loader, C.uint32_t(version), on, i.c); r != 0 {
		C.free(unsafe.Pointer(i.c))
		return nil, int(r)
	}
	return i, 0
}

// Handle returns the VkInstance.
func (i *Instance) Handle() unsafe.Pointer { return i.c.handle }

// Destroy ends the instance; its devices must be gone.
func (i *Instance) Destroy() {
	C.shim_destroy_instance(i.c)
	C.free(unsafe.Pointer(i.c))
	i.c = nil
}

// Family is a queue family: VkQueueFlags, how many queues, and how many bits its timestamps have.
type Family struct{ Flags, Count, TimestampBits uint32 }

// Families lists the queue families of a physical device.
func (i *Instance) Families(physical unsafe.Pointer) []Family {
	var all [32]C.shim_family
	n := C.shim_families(i.c, physical, &all[0], C.uint32_t(len(all)))
	out := make([]Family, n)
	for k := range out {
		out[k] = Family{uint32(all[k].flags), uint32(all[k].count), uint32(all[k].timestamp_bits)}
	}
	return out
}

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

// Query asks what a physical device offers.
func (i *Instance) Query(physical unsafe.Pointer) Caps {
	var c C.shim_caps
	C.shim_query(i.c, physical, &c)
	out := Caps{
		SubgroupSize: uint32(c.subgroup_size), SubgroupStages: uint32(c.subgroup_stages), SubgroupOperations: uint32(c.subgroup_operations),
		Storage16: c.storage16 != 0, Float16: c.float16 != 0, CoopMatrix: c.coopmat != 0, MemoryBudget: c.memory_budget != 0,
		MaxAllocation: uint64(c.max_allocation),
		Driver:        strings.TrimSpace(C.GoString(&c.driver[0])),
	}
	for k := range out.Budget {
		out.Budget[k], out.Usage[k] = uint64(c.budget[k]), uint64(c.usage[k])
	}
	return out
}

// Shape is a product of cooperative matrices, M x K by K x N.
type Shape struct{ M, N, K uint32 }

// String is "16x16x16".
func (s Shape) String() string { return fmt.Sprintf("%dx%dx%d", s.M, s.N, s.K) }

// Shapes lists the products with float16 factors and float32 sums that a subgroup can make, on a device whose Caps say CoopMatrix.
func (i *Instance) Shapes(physical unsafe.Pointer) []Shape {
	var all [32]C.shim_shape
	n := C.shim_shapes(i.c, physical, &all[0], C.uint32_t(len(all)))
	out := make([]Shape, n)
	for k := range out {
		out[k] = Shape{uint32(all[k].m), uint32(all[k].n), uint32(all[k].k)}
	}
	return out
}

// NewDevice creates a logical device with one queue of the family and the features that on names.
func (i *Instance) NewDevice(physical unsafe.Pointer, family uint32, on Caps) (unsafe.Pointer, int) {
	c := on.c()
	var device unsafe.Pointer
	r := C.shim_create_device(i.c, physical, C.uint32_t(family), &c, &device)
	return device, int(r)
}

// c is the features that NewDevice and Calls look at.
func (on Caps) c() C.shim_caps {
	flag := func(b bool) C.uint32_t {
		if b {
			return 1
		}
		return 0
	}
	return C.shim_caps{
		storage16: flag(on.Storage16), float16: flag(on.Float16), coopmat: flag(on.CoopMatrix), memory_budget: flag(on.MemoryBudget),
		statistics: flag(on.Statistics),
	}
}

// Device holds the calls of one logical device, in C memory.
type Device struct{ c *C.shim_device }

// Calls looks up the calls of a device that NewDevice made with the features on.
func (i *Instance) Calls(device unsafe.Pointer, on Caps) *Device {
	c := on.c()
	return &Device{C.shim_device_calls(i.c, device, &c)}
}

// Free releases the memory of d, but not the device itself.
func (d *Device) Free() {
	C.shim_free_device_calls(d.c)
	d.c = nil
}

// MaxBindings is the largest number of buffers of one set, MaxPush of 32-bit words pushed with one dispatch, MaxSpec of specialization
// constants.
const (
	MaxBindings = 8
	MaxPush     = 32
	MaxSpec     = 16
)

// SetLayout creates the layout of a set of storage buffers.
func (d *Device) SetLayout(bindings int) (uint64, int) {
	var out C.uint64_t
	r := C.shim_set_layout(d.c, C.uint32_t(bindings), &out)
	return uint64(out), int(r)
}

// PipelineLayout creates the layout of a pipeline with one set and MaxPush words of push constants.
func (d *Device) PipelineLayout(set uint64) (uint64, int) {
	var out C.uint64_t
	r := C.shim_pipeline_layout(d.c, C.uint64_t(set), 4*MaxPush, &out)
	return uint64(out), int(r)
}

// DescriptorPool creates a pool of sets with as many buffers in all.
func (d *Device) DescriptorPool(sets, buffers int) (uint64, int) {
	var out C.uint64_t
	r := C.shim_descriptor_pool(d.c, C.uint32_t(sets), C.uint32_t(buffers), &out)
	return uint64(out), int(r)
}

// Binding is one storage buffer of a set.
type Binding struct{ Buffer, Offset, Range uint64 }

// DescriptorSet allocates a set and fills it.
func (d *Device) DescriptorSet(pool, layout uint64, b []Binding) (uint64, int) {
	var out C.uint64_t
	r := C.shim_descriptor_set(d.c, C.uint64_t(pool), C.uint64_t(layout), (*C.shim_binding)(unsafe.Pointer(&b[0])), C.uint32_t(len(b)), &out)
	return uint64(out), int(r)
}

// Pipeline creates a compute pipeline. spec[i] is the constant with id i; subgroup, if not 0, is the subgroup size that it must run with,
// all subgroups full.
func (d *Device) Pipeline(cache, module, layout uint64, spec []uint32, subgroup uint32) (uint64, int) {
	var out C.uint64_t
	r := C.shim_pipeline(d.c, C.uint64_t(cache), C.uint64_t(module), C.uint64_t(layout),
		(*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(spec))), C.uint32_t(len(spec)), C.uint32_t(subgroup), &out)
	return uint64(out), int(r)
}

// Statistics returns the numbers that the driver's compiler gives of a pipeline, by the driver's names for them, on a device with Caps.Statistics.
func (d *Device) Statistics(pipeline uint64) map[string]uint64 {
	var all [64]C.shim_statistic
	n := C.shim_statistics(d.c, C.uint64_t(pipeline), &all[0], C.uint32_t(len(all)))
	out := map[string]uint64{}
	for k := range all[:n] {
		out[C.GoString(&all[k].name[0])] = uint64(all[k].value)
	}
	return out
}

// Assembly returns the text of what the compiler made of a pipeline, "" where the driver shows none, on a device with Caps.Statistics.
func (d *Device) Assembly(pipeline uint64) string {
	text := C.shim_assembly(d.c, C.uint64_t(pipeline))
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// The kinds of Op.
const (
	Dispatch = iota
	Copy
	Fill
)

// Op is one recorded command, laid out as shim_op.
type Op struct {
	Kind, Barrier         uint32
	Pipeline, Layout, Set uint64 // Dispatch
	Src, Dst              uint64 // buffers of Copy and Fill
	From, To, Size        uint64 // in bytes
	Groups                [3]uint32
	Words                 uint32 // of Push
	Push                  [MaxPush]uint32
}

var _ = [1]struct{}{}[unsafe.Sizeof(Op{})-C.sizeof_shim_op] // both sides have one layout

// Record fills a command buffer with ops. With queries, a pool of timestamps, the times of begin and end go to its queries first and first+1.
func (d *Device) Record(commands unsafe.Pointer, ops []Op, queries uint64, first int) int {
	return int(C.shim_record(d.c, commands, (*C.shim_op)(unsafe.Pointer(unsafe.SliceData(ops))), C.uint32_t(len(ops)), C.uint64_t(queries), C.uint32_t(first)))
}

// Submit hands a command buffer to the queue; fence is signalled when it is done.
func (d *Device) Submit(queue, commands unsafe.Pointer, fence uint64) int {
	return int(C.shim_submit(d.c, queue, commands, C.uint64_t(fence)))
}

// Messages returns how many messages the validation layer gave since the program's start, and the first ones.
func Messages() (int, string) {
	text := make([]byte, C.MESSAGE_BYTES)
	n := C.shim_messages((*C.char)(unsafe.Pointer(&text[0])), C.uint32_t(len(text)))
	return int(n), C.GoString((*C.char)(unsafe.Pointer(&text[0])))
}
