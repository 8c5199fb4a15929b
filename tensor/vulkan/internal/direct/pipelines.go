//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

const storageBuffer = 7 // VkDescriptorType

func (d *device) SetLayout(bindings int) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	list := make([]descriptorSetLayoutBinding, bindings)
	for k := range list {
		list[k] = descriptorSetLayoutBinding{binding: uint32(k), descriptorType: storageBuffer, descriptorCount: 1, stageFlags: computeStage}
	}
	info := &descriptorSetLayoutCreateInfo{sType: 32, bindingCount: uint32(bindings), pBindings: all(&keep, list)}
	return made(d.calls.createSetLayout, d.handle, info)
}

func (d *device) PipelineLayout(set uint64) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	words := &pushConstantRange{stageFlags: computeStage, size: 4 * vk.MaxPush}
	info := &pipelineLayoutCreateInfo{
		sType: 30, setLayoutCount: 1, pSetLayouts: all(&keep, []uint64{set}), pushConstantRangeCount: 1, pPushConstantRanges: at(&keep, words),
	}
	return made(d.calls.createPipelineLayout, d.handle, info)
}

func (d *device) DescriptorPool(sets, buffers int) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	size := &descriptorPoolSize{kind: storageBuffer, descriptorCount: uint32(buffers)}
	info := &descriptorPoolCreateInfo{sType: 33, maxSets: uint32(sets), poolSizeCount: 1, pPoolSizes: at(&keep, size)}
	return made(d.calls.createPool, d.handle, info)
}

func (d *device) DescriptorSet(pool, layout uint64, b []vk.Binding) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	info := &descriptorSetAllocateInfo{sType: 34, descriptorPool: pool, descriptorSetCount: 1, pSetLayouts: all(&keep, []uint64{layout})}
	set := new(uint64)
	if code := d.calls.allocateSets.with(uintptr(d.handle), uintptr(unsafe.Pointer(info)), uintptr(unsafe.Pointer(set))); code != 0 {
		return 0, code
	}
	writes := make([]writeDescriptorSet, len(b))
	for k := range writes {
		writes[k] = writeDescriptorSet{
			sType: 35, dstSet: *set, dstBinding: uint32(k), descriptorCount: 1, descriptorType: storageBuffer, pBufferInfo: at(&keep, &b[k]),
		}
	}
	d.calls.updateSets.with(uintptr(d.handle), uintptr(len(writes)), uintptr(unsafe.Pointer(unsafe.SliceData(writes))), 0, 0)
	return *set, 0
}

func (d *device) Cache(data []byte) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	info := &pipelineCacheCreateInfo{sType: 17, initialDataSize: uintptr(len(data)), pInitialData: all(&keep, data)}
	return made(d.calls.createCache, d.handle, info)
}

func (d *device) CacheData(cache uint64) ([]byte, int) {
	n := new(uintptr)
	if code := d.calls.cacheData.with(uintptr(d.handle), uintptr(cache), uintptr(unsafe.Pointer(n)), 0); code != 0 || *n == 0 {
		return nil, code
	}
	data := make([]byte, *n)
	code := d.calls.cacheData.with(uintptr(d.handle), uintptr(cache), uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&data[0])))
	return data[:*n], code
}

func (d *device) Module(code []byte) (uint64, int) {
	var keep pins
	defer keep.Unpin()
	info := &shaderModuleCreateInfo{sType: 16, codeSize: uintptr(len(code)), pCode: all(&keep, code)}
	return made(d.calls.createModule, d.handle, info)
}

func (d *device) Pipeline(cache, module, layout uint64, spec []uint32, subgroup uint32) (uint64, int) {
	const fullSubgroups = 2
	var keep pins
	defer keep.Unpin()
	main := zeroed("main")
	keep.Pin(main)
	info := &computePipelineCreateInfo{sType: 29, flags: d.captures, layout: layout, basePipelineIndex: -1}
	info.stage = pipelineShaderStageCreateInfo{sType: 18, stage: computeStage, module: module, pName: main}
	if subgroup != 0 {
		info.stage.flags = fullSubgroups
		info.stage.pNext = at(&keep, &pipelineShaderStageRequiredSubgroupSizeCreateInfo{sType: 1000225001, requiredSubgroupSize: subgroup})
	}
	if len(spec) > 0 {
		entries := make([]specializationMapEntry, len(spec))
		for k := range entries {
			entries[k] = specializationMapEntry{constantID: uint32(k), offset: uint32(4 * k), size: 4}
		}
		info.stage.pSpecializationInfo = at(&keep, &specializationInfo{
			mapEntryCount: uint32(len(spec)), pMapEntries: all(&keep, entries), dataSize: uintptr(4 * len(spec)), pData: all(&keep, spec),
		})
	}
	out := new(uint64)
	code := d.calls.createPipelines.with(uintptr(d.handle), uintptr(cache), 1, uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(out)))
	return *out, code
}

// A compute pipeline has one executable, number 0.
func executable(pipeline uint64) *pipelineExecutableInfoKHR {
	return &pipelineExecutableInfoKHR{sType: 1000269003, pipeline: pipeline}
}

func (d *device) Statistics(pipeline uint64) map[string]uint64 {
	const most = 64
	out := map[string]uint64{}
	found, n := make([]pipelineExecutableStatisticKHR, most), new(uint32)
	*n = most
	for k := range found {
		found[k].sType = 1000269004
	}
	if d.calls.statistics == 0 || d.calls.statistics.with(uintptr(d.handle), uintptr(unsafe.Pointer(executable(pipeline))),
		uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&found[0]))) < 0 {
		return out
	}
	for k := range found[:*n] {
		out[field(found[k].name[:])] = found[k].value
	}
	return out
}

func (d *device) Assembly(pipeline uint64) string {
	const most = 16
	found, n := make([]pipelineExecutableInternalRepresentationKHR, most), new(uint32)
	*n = most
	for k := range found {
		found[k].sType = 1000269005
	}
	get := func() int {
		return d.calls.representations.with(uintptr(d.handle), uintptr(unsafe.Pointer(executable(pipeline))),
			uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&found[0])))
	}
	if d.calls.representations == 0 || get() != 0 || *n == 0 { // with no memory named it gives sizes
		return ""
	}
	var keep pins
	defer keep.Unpin()
	last := &found[*n-1] // the last form that the pipeline had in the compiler
	data := make([]byte, last.dataSize)
	last.pData = all(&keep, data)
	if get() < 0 {
		return ""
	}
	return field(data)
}
