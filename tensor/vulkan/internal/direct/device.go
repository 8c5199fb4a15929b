//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"slices"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// device is a logical device with its queue and its calls.
type device struct {
	handle, queue uint64
	captures      uint32 // VkPipelineCreateFlags of what is kept of the compiler's work
	calls         calls
	destroy       [vk.Objects]call
	record        recording
}

// calls are a device's functions, in the order of callNames.
type calls struct {
	destroyDevice, waitIdle, getQueue                                 call
	createBuffer, needs, allocate, bind, mapMemory                    call
	createSetLayout, createPipelineLayout, createPool                 call
	allocateSets, updateSets                                          call
	createCache, cacheData, createModule, createPipelines             call
	statistics, representations                                       call
	createCommandPool, allocateCommands, begin, end, submit           call
	createFence, resetFences, waitForFences, fenceStatus              call
	createQueries, queryResults                                       call
	bindPipeline, bindSets, push, dispatch, barrier, copyBuffer, fill call
	resetQueries, timestamp                                           call
}

var callNames = [...]string{
	"vkDestroyDevice", "vkDeviceWaitIdle", "vkGetDeviceQueue",
	"vkCreateBuffer", "vkGetBufferMemoryRequirements", "vkAllocateMemory", "vkBindBufferMemory", "vkMapMemory",
	"vkCreateDescriptorSetLayout", "vkCreatePipelineLayout", "vkCreateDescriptorPool",
	"vkAllocateDescriptorSets", "vkUpdateDescriptorSets",
	"vkCreatePipelineCache", "vkGetPipelineCacheData", "vkCreateShaderModule", "vkCreateComputePipelines",
	"vkGetPipelineExecutableStatisticsKHR", "vkGetPipelineExecutableInternalRepresentationsKHR",
	"vkCreateCommandPool", "vkAllocateCommandBuffers", "vkBeginCommandBuffer", "vkEndCommandBuffer", "vkQueueSubmit",
	"vkCreateFence", "vkResetFences", "vkWaitForFences", "vkGetFenceStatus",
	"vkCreateQueryPool", "vkGetQueryPoolResults",
	"vkCmdBindPipeline", "vkCmdBindDescriptorSets", "vkCmdPushConstants", "vkCmdDispatch", "vkCmdPipelineBarrier", "vkCmdCopyBuffer", "vkCmdFillBuffer",
	"vkCmdResetQueryPool", "vkCmdWriteTimestamp",
}

var _ = [1]struct{}{}[unsafe.Sizeof(calls{})-unsafe.Sizeof(call(0))*uintptr(len(callNames))] // a name for each

var destroyNames = [vk.Objects]string{
	vk.Buffer: "vkDestroyBuffer", vk.DeviceMemory: "vkFreeMemory", vk.SetLayout: "vkDestroyDescriptorSetLayout",
	vk.PipelineLayout: "vkDestroyPipelineLayout", vk.DescriptorPool: "vkDestroyDescriptorPool", vk.PipelineCache: "vkDestroyPipelineCache",
	vk.Module: "vkDestroyShaderModule", vk.Pipeline: "vkDestroyPipeline", vk.CommandPool: "vkDestroyCommandPool", vk.Fence: "vkDestroyFence",
	vk.QueryPool: "vkDestroyQueryPool",
}

func (i *instance) NewDevice(physical uint64, family uint32, on vk.Caps) (vk.Device, int) {
	var keep pins
	defer keep.Unpin()
	wanted, next := i.chain(&keep, physical, on)
	priority := []float32{1}
	queue := &deviceQueueCreateInfo{sType: 2, queueFamilyIndex: family, queueCount: 1, pQueuePriorities: all(&keep, priority)}
	info := &deviceCreateInfo{sType: 3, pNext: next, queueCreateInfoCount: 1, pQueueCreateInfos: at(&keep, queue)}
	info.enabledExtensionCount, info.ppEnabledExtensionNames = names(&keep, wanted)
	handle, code := made(i.call("vkCreateDevice"), physical, info)
	if code != 0 {
		return nil, code
	}
	d := &device{handle: handle, record: newRecording()}
	if on.Statistics {
		const statistics, representations = 0x40, 0x80
		d.captures = statistics | representations
	}
	lookUp := i.call("vkGetDeviceProcAddr")
	list := unsafe.Slice((*call)(unsafe.Pointer(&d.calls)), len(callNames))
	for k, name := range callNames {
		list[k] = lookUp.look(handle, name)
	}
	for k, name := range destroyNames {
		d.destroy[k] = lookUp.look(handle, name)
	}
	out := new(uint64)
	d.calls.getQueue.with(uintptr(handle), uintptr(family), 0, uintptr(unsafe.Pointer(out)))
	d.queue = *out
	return d, 0
}

// chain lists the extensions that on asks for, and the structs that turn their features on.
func (i *instance) chain(keep *pins, physical uint64, on vk.Caps) (wanted []string, next unsafe.Pointer) {
	add := func(sType uint32, flags ...uint32) {
		f := &features{sType: sType, pNext: next}
		copy(f.on[:], flags)
		next = at(keep, f)
	}
	if slices.Contains(i.deviceExtensions(physical), "VK_KHR_portability_subset") {
		wanted = append(wanted, "VK_KHR_portability_subset")
	}
	if on.MemoryBudget {
		wanted = append(wanted, "VK_EXT_memory_budget")
	}
	if on.Storage16 {
		add(features16BitStorage, 1)
	}
	if on.Float16 {
		wanted = append(wanted, "VK_KHR_shader_float16_int8")
		add(featuresFloat16Int8, 1)
	}
	if on.CoopMatrix {
		wanted = append(wanted, "VK_KHR_cooperative_matrix", "VK_KHR_vulkan_memory_model", "VK_EXT_subgroup_size_control")
		add(featuresCooperativeMatrix, 1)
		add(featuresMemoryModel, 1, 1)  // with atomics on buffers, as other shaders have them
		add(featuresSubgroupSize, 1, 1) // of a given size, and full
	}
	if on.Statistics {
		wanted = append(wanted, "VK_KHR_pipeline_executable_properties")
		add(featuresPipelineExecutable, 1)
	}
	return wanted, next
}

func (d *device) Close() { d.calls.destroyDevice.with(uintptr(d.handle), 0) }

func (d *device) Wait() { d.calls.waitIdle.with(uintptr(d.handle)) }

func (d *device) Destroy(o vk.Object, handle uint64) {
	d.destroy[o].with(uintptr(d.handle), uintptr(handle), 0)
}

func (d *device) Buffer(size uint64) (uint64, int) {
	const storage, source, destination = 0x20, 1, 2
	return made(d.calls.createBuffer, d.handle, &bufferCreateInfo{sType: 12, size: size, usage: storage | source | destination})
}

func (d *device) Needs(buffer uint64) vk.Needs {
	needs := new(memoryRequirements)
	d.calls.needs.with(uintptr(d.handle), uintptr(buffer), uintptr(unsafe.Pointer(needs)))
	return vk.Needs{Size: needs.size, Types: needs.memoryTypeBits}
}

func (d *device) Allocate(size uint64, memoryType uint32) (uint64, int) {
	return made(d.calls.allocate, d.handle, &memoryAllocateInfo{sType: 5, allocationSize: size, memoryTypeIndex: memoryType})
}

func (d *device) Bind(buffer, memory uint64) int {
	return d.calls.bind.with(uintptr(d.handle), uintptr(buffer), uintptr(memory), 0)
}

func (d *device) Map(memory, size uint64) ([]byte, int) {
	to := new(*byte)
	if code := d.calls.mapMemory.with(uintptr(d.handle), uintptr(memory), 0, uintptr(size), 0, uintptr(unsafe.Pointer(to))); code != 0 {
		return nil, code
	}
	return unsafe.Slice(*to, size), 0
}

func (d *device) CommandPool(family uint32) (uint64, int) {
	const reset = 2 // buffers are reset one by one
	return made(d.calls.createCommandPool, d.handle, &commandPoolCreateInfo{sType: 39, flags: reset, queueFamilyIndex: family})
}

func (d *device) CommandBuffer(pool uint64) (uint64, int) {
	info, out := &commandBufferAllocateInfo{sType: 40, commandPool: pool, commandBufferCount: 1}, new(uint64)
	code := d.calls.allocateCommands.with(uintptr(d.handle), uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(out)))
	return *out, code
}

func (d *device) Submit(commands, fence uint64) int {
	var keep pins
	defer keep.Unpin()
	info := &submitInfo{sType: 4, commandBufferCount: 1, pCommandBuffers: all(&keep, []uint64{commands})}
	return d.calls.submit.with(uintptr(d.queue), 1, uintptr(unsafe.Pointer(info)), uintptr(fence))
}

func (d *device) Fence() (uint64, int) {
	return made(d.calls.createFence, d.handle, &fenceCreateInfo{sType: 8})
}

func (d *device) ResetFence(fence uint64) int {
	return d.calls.resetFences.with(uintptr(d.handle), 1, uintptr(unsafe.Pointer(&fence)))
}

func (d *device) WaitFence(fence, nanoseconds uint64) int {
	return d.calls.waitForFences.with(uintptr(d.handle), 1, uintptr(unsafe.Pointer(&fence)), 1, uintptr(nanoseconds))
}

func (d *device) FenceStatus(fence uint64) int {
	return d.calls.fenceStatus.with(uintptr(d.handle), uintptr(fence))
}

func (d *device) Queries(n int) (uint64, int) {
	const timestamp = 2
	return made(d.calls.createQueries, d.handle, &queryPoolCreateInfo{sType: 11, queryType: timestamp, queryCount: uint32(n)})
}

func (d *device) Times(pool uint64, first int) ([2]uint64, int) {
	const bits64 = 1
	times := new([2]uint64)
	code := d.calls.queryResults.with(uintptr(d.handle), uintptr(pool), uintptr(first), 2, 16, uintptr(unsafe.Pointer(times)), 8, bits64)
	return *times, code
}
