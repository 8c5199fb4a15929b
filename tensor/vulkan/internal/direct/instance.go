//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// instance is a Vulkan instance.
type instance struct {
	handle uint64
	lookUp call // vkGetInstanceProcAddr
}

// call returns a function of the instance, 0 where there is none.
func (i *instance) call(name string) call { return i.lookUp.look(i.handle, name) }

// Open opens the first loader found and creates an instance for the given version of Vulkan, with the validation layer if asked.
func Open(loaders []string, version uint32, validate bool) (vk.Instance, int) {
	i := &instance{}
	for _, name := range loaders {
		if i.lookUp = openLoader(name); i.lookUp != 0 {
			break
		}
	}
	if i.lookUp == 0 {
		return nil, vk.NoLoader
	}
	list, create := i.call("vkEnumerateInstanceExtensionProperties"), i.call("vkCreateInstance")
	if list == 0 || create == 0 {
		return nil, vk.BadLoader
	}
	offered := extensions(func(n *uint32, first *extensionProperties) int {
		return list.with(0, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
	var keep pins
	defer keep.Unpin()
	app := &applicationInfo{pApplicationName: zeroed("gobeit"), applicationVersion: 1, pEngineName: zeroed("gobeit"), engineVersion: 1, apiVersion: version}
	keep.Pin(app.pApplicationName)
	keep.Pin(app.pEngineName)
	info := &instanceCreateInfo{sType: 1, pApplicationInfo: at(&keep, app)}
	var wanted, layers []string
	if slices.Contains(offered, "VK_KHR_portability_enumeration") {
		wanted, info.flags = append(wanted, "VK_KHR_portability_enumeration"), 1
	}
	if validate {
		wanted, layers = append(wanted, "VK_EXT_debug_utils"), []string{"VK_LAYER_KHRONOS_validation"}
	}
	info.enabledExtensionCount, info.ppEnabledExtensionNames = names(&keep, wanted)
	info.enabledLayerCount, info.ppEnabledLayerNames = names(&keep, layers)
	handle := new(uint64)
	if code := create.with(uintptr(unsafe.Pointer(info)), 0, uintptr(unsafe.Pointer(handle))); code != 0 {
		return nil, code
	}
	i.handle = *handle
	if validate {
		if code := i.listen(); code != 0 {
			i.call("vkDestroyInstance").with(uintptr(i.handle), 0)
			return nil, code
		}
	}
	return i, 0
}

// names makes an array of strings of C, nil for none.
func names(keep *pins, list []string) (uint32, unsafe.Pointer) {
	var pointers []*byte
	for _, name := range list {
		p := zeroed(name)
		keep.Pin(p)
		pointers = append(pointers, p)
	}
	return uint32(len(pointers)), all(keep, pointers)
}

// extensions lists what a function of the form vkEnumerateXExtensionProperties returns.
func extensions(list func(n *uint32, first *extensionProperties) int) []string {
	n := new(uint32)
	list(n, nil)
	if *n == 0 {
		return nil
	}
	found := make([]extensionProperties, *n)
	list(n, &found[0])
	var out []string
	for k := range found[:*n] {
		out = append(out, field(found[k].extensionName[:]))
	}
	return out
}

func (i *instance) Physicals() ([]uint64, int) {
	list := i.call("vkEnumeratePhysicalDevices")
	n := new(uint32)
	if code := list.with(uintptr(i.handle), uintptr(unsafe.Pointer(n)), 0); code != 0 || *n == 0 {
		return nil, code
	}
	out := make([]uint64, *n)
	if code := list.with(uintptr(i.handle), uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&out[0]))); code < 0 {
		return nil, code
	}
	return out[:*n], 0
}

func (i *instance) Properties(physical uint64) vk.Properties {
	p := new(physicalDeviceProperties)
	i.call("vkGetPhysicalDeviceProperties").with(uintptr(physical), uintptr(unsafe.Pointer(p)))
	l := &p.limits
	return vk.Properties{
		APIVersion: p.apiVersion, DriverVersion: p.driverVersion, VendorID: p.vendorID, DeviceID: p.deviceID,
		Type: p.deviceType, Name: field(p.deviceName[:]), PipelineCacheUUID: p.pipelineCacheUUID,
		Limits: vk.Limits{
			MaxStorageBufferRange: l.maxStorageBufferRange, MaxPushConstantsSize: l.maxPushConstantsSize,
			MaxPerStageDescriptorStorageBuffers: l.maxPerStageDescriptorStorageBuffers, MaxComputeSharedMemorySize: l.maxComputeSharedMemorySize,
			MaxComputeWorkGroupInvocations: l.maxComputeWorkGroupInvocations, MaxComputeWorkGroupCount: l.maxComputeWorkGroupCount,
			MinStorageBufferOffsetAlignment: l.minStorageBufferOffsetAlignment, TimestampPeriod: l.timestampPeriod,
		},
	}
}

func (i *instance) Memory(physical uint64) (out vk.Memory) {
	m := new(physicalDeviceMemoryProperties)
	i.call("vkGetPhysicalDeviceMemoryProperties").with(uintptr(physical), uintptr(unsafe.Pointer(m)))
	for _, t := range m.memoryTypes[:m.memoryTypeCount] {
		out.Types = append(out.Types, vk.MemoryType{Flags: t.propertyFlags, Heap: t.heapIndex})
	}
	for _, h := range m.memoryHeaps[:m.memoryHeapCount] {
		out.Heaps = append(out.Heaps, vk.Heap{Size: h.size, Flags: h.flags})
	}
	return out
}

func (i *instance) Families(physical uint64) []vk.Family {
	list := i.call("vkGetPhysicalDeviceQueueFamilyProperties")
	n := new(uint32)
	list.with(uintptr(physical), uintptr(unsafe.Pointer(n)), 0)
	if *n == 0 {
		return nil
	}
	found := make([]queueFamilyProperties, *n)
	list.with(uintptr(physical), uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&found[0])))
	var out []vk.Family
	for _, f := range found[:*n] {
		out = append(out, vk.Family{Flags: f.queueFlags, Count: f.queueCount, TimestampBits: f.timestampValidBits})
	}
	return out
}

// deviceExtensions lists the extensions of a physical device.
func (i *instance) deviceExtensions(physical uint64) []string {
	list := i.call("vkEnumerateDeviceExtensionProperties")
	return extensions(func(n *uint32, first *extensionProperties) int {
		return list.with(uintptr(physical), 0, uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(first)))
	})
}

// The types of structs that have the features of extensions.
const (
	features16BitStorage       = 1000083000
	featuresFloat16Int8        = 1000082000
	featuresCooperativeMatrix  = 1000506000
	featuresMemoryModel        = 1000211000
	featuresSubgroupSize       = 1000225002
	featuresPipelineExecutable = 1000269000
)

const computeStage = 0x20

func (i *instance) Query(physical uint64) (out vk.Caps) {
	offered := i.deviceExtensions(physical)
	has := func(name string) bool { return slices.Contains(offered, name) }
	smallTypes := has("VK_KHR_shader_float16_int8")
	matrix := smallTypes && has("VK_KHR_cooperative_matrix") && has("VK_KHR_vulkan_memory_model") && has("VK_EXT_subgroup_size_control")
	out.MemoryBudget = has("VK_EXT_memory_budget")
	i.queryFeatures(physical, smallTypes, matrix, &out)
	i.queryProperties(physical, has("VK_KHR_driver_properties"), &out)
	if get := i.call("vkGetPhysicalDeviceMemoryProperties2"); get != 0 && out.MemoryBudget {
		var keep pins
		defer keep.Unpin()
		budget := &physicalDeviceMemoryBudgetPropertiesEXT{sType: 1000237000}
		m := &physicalDeviceMemoryProperties2{sType: 1000059006, pNext: at(&keep, budget)}
		get.with(uintptr(physical), uintptr(unsafe.Pointer(m)))
		out.Budget, out.Usage = budget.heapBudget, budget.heapUsage
	}
	return out
}

// queryFeatures asks for the features of extensions, those of which are there.
func (i *instance) queryFeatures(physical uint64, smallTypes, matrix bool, out *vk.Caps) {
	get := i.call("vkGetPhysicalDeviceFeatures2")
	if get == 0 {
		return
	}
	var keep pins
	defer keep.Unpin()
	storage, small := &features{sType: features16BitStorage}, &features{sType: featuresFloat16Int8}
	coop := &features{sType: featuresCooperativeMatrix}
	model := &features{sType: featuresMemoryModel, pNext: at(&keep, coop)}
	subgroups := &features{sType: featuresSubgroupSize, pNext: at(&keep, model)}
	if smallTypes {
		storage.pNext = at(&keep, small)
	}
	if matrix {
		small.pNext = at(&keep, subgroups)
	}
	f := &physicalDeviceFeatures2{sType: 1000059000, pNext: at(&keep, storage)}
	get.with(uintptr(physical), uintptr(unsafe.Pointer(f)))
	out.Storage16, out.Float16 = storage.on[0] != 0, small.on[0] != 0
	out.CoopMatrix = coop.on[0] != 0 && out.Float16 && model.on[0] != 0 && model.on[1] != 0 && subgroups.on[0] != 0 && subgroups.on[1] != 0
}

// queryProperties asks for the limits of extensions, and for the driver's name where it gives one.
func (i *instance) queryProperties(physical uint64, named bool, out *vk.Caps) {
	get := i.call("vkGetPhysicalDeviceProperties2")
	if get == 0 {
		return
	}
	var keep pins
	defer keep.Unpin()
	driver := &physicalDeviceDriverProperties{sType: 1000196000}
	largest := &physicalDeviceMaintenance3Properties{sType: 1000168000}
	if named {
		largest.pNext = at(&keep, driver)
	}
	subgroup := &physicalDeviceSubgroupProperties{sType: 1000094000, pNext: at(&keep, largest)}
	coop := &physicalDeviceCooperativeMatrixPropertiesKHR{sType: 1000506002, pNext: at(&keep, subgroup)}
	control := &physicalDeviceSubgroupSizeControlProperties{sType: 1000225000, pNext: at(&keep, coop)}
	p := &physicalDeviceProperties2{sType: 1000059001, pNext: at(&keep, subgroup)}
	if out.CoopMatrix {
		p.pNext = at(&keep, control)
	}
	get.with(uintptr(physical), uintptr(unsafe.Pointer(p)))
	out.CoopMatrix = out.CoopMatrix && coop.cooperativeMatrixSupportedStages&control.requiredSubgroupSizeStages&computeStage != 0
	out.MaxAllocation = largest.maxMemoryAllocationSize
	out.SubgroupSize, out.SubgroupStages, out.SubgroupOperations = subgroup.subgroupSize, subgroup.supportedStages, subgroup.supportedOperations
	out.Driver = strings.TrimSpace(field(driver.driverName[:]) + " " + field(driver.driverInfo[:]))
}

func (i *instance) Shapes(physical uint64) []vk.Shape {
	const float16, float32, subgroup, most = 0, 1, 3, 256
	get := i.call("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR")
	if get == 0 {
		return nil
	}
	found := make([]cooperativeMatrixPropertiesKHR, most)
	for k := range found {
		found[k].sType = 1000506001
	}
	n := new(uint32)
	*n = most
	if get.with(uintptr(physical), uintptr(unsafe.Pointer(n)), uintptr(unsafe.Pointer(&found[0]))) < 0 {
		return nil
	}
	var out []vk.Shape
	for _, p := range found[:*n] {
		if p.AType == float16 && p.BType == float16 && p.CType == float32 && p.ResultType == float32 && p.scope == subgroup {
			out = append(out, vk.Shape{M: p.MSize, N: p.NSize, K: p.KSize})
		}
	}
	return out
}
