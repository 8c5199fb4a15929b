//go:build cgo && ((linux && !android) || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package shim

/*
#cgo linux freebsd LDFLAGS: -ldl -lpthread
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"strings"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
	"github.com/vulkan-go/vulkan"
)

// openLoader returns vkGetInstanceProcAddr of the first loader found, or nil.
func openLoader(names []string) unsafe.Pointer {
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

// instance has a Vulkan instance in C memory.
type instance struct {
	c *C.shim_instance
	v vulkan.Instance // the same one
}

// Open opens the first loader found and creates an instance for the given version of Vulkan, with the validation layer if asked. The binding keeps
// its calls in global variables, so a process can have one instance.
func Open(loaders []string, version uint32, validate bool) (vk.Instance, int) {
	loader := openLoader(loaders)
	if loader == nil {
		return nil, vk.NoLoader
	}
	vulkan.SetGetInstanceProcAddr(loader)
	if vulkan.Init() != nil {
		return nil, vk.BadLoader
	}
	c := (*C.shim_instance)(C.calloc(1, C.sizeof_shim_instance))
	on := C.int(0)
	if validate {
		on = 1
	}
	if r := C.shim_create_instance(loader, C.uint32_t(version), on, c); r != 0 {
		C.free(unsafe.Pointer(c))
		return nil, int(r)
	}
	i := &instance{c, vulkan.Instance(c.handle)}
	if vulkan.InitInstance(i.v) != nil {
		C.shim_destroy_instance(c)
		C.free(unsafe.Pointer(c))
		return nil, vk.BadLoader
	}
	return i, 0
}

func (i *instance) Families(physical uint64) []vk.Family {
	var all [32]C.shim_family
	n := C.shim_families(i.c, pointer(physical), &all[0], C.uint32_t(len(all)))
	out := make([]vk.Family, n)
	for k := range out {
		out[k] = vk.Family{Flags: uint32(all[k].flags), Count: uint32(all[k].count), TimestampBits: uint32(all[k].timestamp_bits)}
	}
	return out
}

func (i *instance) Query(physical uint64) vk.Caps {
	var c C.shim_caps
	C.shim_query(i.c, pointer(physical), &c)
	out := vk.Caps{
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

func (i *instance) Shapes(physical uint64) []vk.Shape {
	var all [32]C.shim_shape
	n := C.shim_shapes(i.c, pointer(physical), &all[0], C.uint32_t(len(all)))
	out := make([]vk.Shape, n)
	for k := range out {
		out[k] = vk.Shape{M: uint32(all[k].m), N: uint32(all[k].n), K: uint32(all[k].k)}
	}
	return out
}

// device has a logical device, its queue, and the calls of it that C makes, in C memory.
type device struct {
	c     *C.shim_device
	v     vulkan.Device
	queue vulkan.Queue
}

func (i *instance) NewDevice(physical uint64, family uint32, on vk.Caps) (vk.Device, int) {
	flag := func(b bool) C.uint32_t {
		if b {
			return 1
		}
		return 0
	}
	c := C.shim_caps{
		storage16: flag(on.Storage16), float16: flag(on.Float16), coopmat: flag(on.CoopMatrix), memory_budget: flag(on.MemoryBudget),
		statistics: flag(on.Statistics),
	}
	var handle unsafe.Pointer
	if r := C.shim_create_device(i.c, pointer(physical), C.uint32_t(family), &c, &handle); r != 0 {
		return nil, int(r)
	}
	d := &device{c: C.shim_device_calls(i.c, handle, &c), v: vulkan.Device(handle)}
	cell(&d.queue, func(q *vulkan.Queue) vulkan.Result { vulkan.GetDeviceQueue(d.v, family, 0, q); return 0 })
	return d, 0
}

func (d *device) Close() {
	vulkan.DestroyDevice(d.v, nil)
	C.shim_free_device_calls(d.c)
	d.c, d.v = nil, nil
}

func (d *device) SetLayout(bindings int) (uint64, int) {
	var out C.uint64_t
	r := C.shim_set_layout(d.c, C.uint32_t(bindings), &out)
	return uint64(out), int(r)
}

func (d *device) PipelineLayout(set uint64) (uint64, int) {
	var out C.uint64_t
	r := C.shim_pipeline_layout(d.c, C.uint64_t(set), 4*vk.MaxPush, &out)
	return uint64(out), int(r)
}

func (d *device) DescriptorPool(sets, buffers int) (uint64, int) {
	var out C.uint64_t
	r := C.shim_descriptor_pool(d.c, C.uint32_t(sets), C.uint32_t(buffers), &out)
	return uint64(out), int(r)
}

func (d *device) DescriptorSet(pool, layout uint64, b []vk.Binding) (uint64, int) {
	var out C.uint64_t
	r := C.shim_descriptor_set(d.c, C.uint64_t(pool), C.uint64_t(layout), (*C.shim_binding)(unsafe.Pointer(&b[0])), C.uint32_t(len(b)), &out)
	return uint64(out), int(r)
}

func (d *device) Pipeline(cache, module, layout uint64, spec []uint32, subgroup uint32) (uint64, int) {
	var out C.uint64_t
	r := C.shim_pipeline(d.c, C.uint64_t(cache), C.uint64_t(module), C.uint64_t(layout),
		(*C.uint32_t)(unsafe.Pointer(unsafe.SliceData(spec))), C.uint32_t(len(spec)), C.uint32_t(subgroup), &out)
	return uint64(out), int(r)
}

func (d *device) Statistics(pipeline uint64) map[string]uint64 {
	var all [64]C.shim_statistic
	n := C.shim_statistics(d.c, C.uint64_t(pipeline), &all[0], C.uint32_t(len(all)))
	out := map[string]uint64{}
	for k := range all[:n] {
		out[C.GoString(&all[k].name[0])] = uint64(all[k].value)
	}
	return out
}

func (d *device) Assembly(pipeline uint64) string {
	text := C.shim_assembly(d.c, C.uint64_t(pipeline))
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

var _ = [1]struct{}{}[unsafe.Sizeof(vk.Op{})-C.sizeof_shim_op] // both sides have one layout

func (d *device) Record(commands uint64, ops []vk.Op, queries uint64, first int) int {
	return int(C.shim_record(d.c, pointer(commands), (*C.shim_op)(unsafe.Pointer(unsafe.SliceData(ops))), C.uint32_t(len(ops)), C.uint64_t(queries), C.uint32_t(first)))
}

func (d *device) Submit(commands, fence uint64) int {
	return int(C.shim_submit(d.c, unsafe.Pointer(d.queue), pointer(commands), C.uint64_t(fence)))
}

func (i *instance) Messages() (int, string) {
	text := make([]byte, C.MESSAGE_BYTES)
	n := C.shim_messages((*C.char)(unsafe.Pointer(&text[0])), C.uint32_t(len(text)))
	return int(n), C.GoString((*C.char)(unsafe.Pointer(&text[0])))
}
