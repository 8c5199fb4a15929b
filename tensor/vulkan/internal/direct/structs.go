//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import "unsafe"

//lint:file-ignore U1000 fields that nobody sets are there for the layout

// The structs of Vulkan that the calls take, with C's names for their fields and in C's layout on 64-bit processors: there Go aligns fields as C
// does. A test compares them with Vulkan's headers.

type applicationInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	pApplicationName   *byte
	applicationVersion uint32
	pEngineName        *byte
	engineVersion      uint32
	apiVersion         uint32
}

type instanceCreateInfo struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	flags                   uint32
	pApplicationInfo        unsafe.Pointer
	enabledLayerCount       uint32
	ppEnabledLayerNames     unsafe.Pointer
	enabledExtensionCount   uint32
	ppEnabledExtensionNames unsafe.Pointer
}

type debugUtilsMessengerCreateInfoEXT struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	messageSeverity uint32
	messageType     uint32
	pfnUserCallback uintptr
	pUserData       unsafe.Pointer
}

// debugUtilsMessengerCallbackDataEXT is the struct's beginning.
type debugUtilsMessengerCallbackDataEXT struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	pMessageIdName  *byte
	messageIdNumber int32
	pMessage        *byte
}

type extensionProperties struct {
	extensionName [256]byte
	specVersion   uint32
}

type queueFamilyProperties struct {
	queueFlags                  uint32
	queueCount                  uint32
	timestampValidBits          uint32
	minImageTransferGranularity [3]uint32
}

type physicalDeviceProperties struct {
	apiVersion        uint32
	driverVersion     uint32
	vendorID          uint32
	deviceID          uint32
	deviceType        uint32
	deviceName        [256]byte
	pipelineCacheUUID [16]byte
	limits            physicalDeviceLimits
	sparseProperties  [5]uint32
}

// physicalDeviceLimits has the limits that are looked at, and room for the others.
type physicalDeviceLimits struct {
	_                                   [28]byte
	maxStorageBufferRange               uint32
	maxPushConstantsSize                uint32
	_                                   [40]byte
	maxPerStageDescriptorStorageBuffers uint32
	_                                   [136]byte
	maxComputeSharedMemorySize          uint32
	maxComputeWorkGroupCount            [3]uint32
	maxComputeWorkGroupInvocations      uint32
	_                                   [92]byte
	minStorageBufferOffsetAlignment     uint64
	_                                   [88]byte
	timestampPeriod                     float32
	_                                   [76]byte
}

type memoryType struct{ propertyFlags, heapIndex uint32 }

type memoryHeap struct {
	size  uint64
	flags uint32
}

type physicalDeviceMemoryProperties struct {
	memoryTypeCount uint32
	memoryTypes     [32]memoryType
	memoryHeapCount uint32
	memoryHeaps     [16]memoryHeap
}

// physicalDeviceFeatures2 has the features of Vulkan 1.0, which are not looked at.
type physicalDeviceFeatures2 struct {
	sType    uint32
	pNext    unsafe.Pointer
	features [55]uint32
}

// features is the struct of any extension with at most four features.
type features struct {
	sType uint32
	pNext unsafe.Pointer
	on    [4]uint32
}

type physicalDeviceProperties2 struct {
	sType      uint32
	pNext      unsafe.Pointer
	properties physicalDeviceProperties
}

type physicalDeviceDriverProperties struct {
	sType              uint32
	pNext              unsafe.Pointer
	driverID           uint32
	driverName         [256]byte
	driverInfo         [256]byte
	conformanceVersion [4]byte
}

type physicalDeviceMaintenance3Properties struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	maxPerSetDescriptors    uint32
	maxMemoryAllocationSize uint64
}

type physicalDeviceSubgroupProperties struct {
	sType                     uint32
	pNext                     unsafe.Pointer
	subgroupSize              uint32
	supportedStages           uint32
	supportedOperations       uint32
	quadOperationsInAllStages uint32
}

type physicalDeviceCooperativeMatrixPropertiesKHR struct {
	sType                            uint32
	pNext                            unsafe.Pointer
	cooperativeMatrixSupportedStages uint32
}

type physicalDeviceSubgroupSizeControlProperties struct {
	sType                        uint32
	pNext                        unsafe.Pointer
	minSubgroupSize              uint32
	maxSubgroupSize              uint32
	maxComputeWorkgroupSubgroups uint32
	requiredSubgroupSizeStages   uint32
}

type physicalDeviceMemoryProperties2 struct {
	sType            uint32
	pNext            unsafe.Pointer
	memoryProperties physicalDeviceMemoryProperties
}

type physicalDeviceMemoryBudgetPropertiesEXT struct {
	sType      uint32
	pNext      unsafe.Pointer
	heapBudget [16]uint64
	heapUsage  [16]uint64
}

type cooperativeMatrixPropertiesKHR struct {
	sType                  uint32
	pNext                  unsafe.Pointer
	MSize                  uint32
	NSize                  uint32
	KSize                  uint32
	AType                  uint32
	BType                  uint32
	CType                  uint32
	ResultType             uint32
	saturatingAccumulation uint32
	scope                  uint32
}

type deviceQueueCreateInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	queueFamilyIndex uint32
	queueCount       uint32
	pQueuePriorities unsafe.Pointer
}

type deviceCreateInfo struct {
	sType                   uint32
	pNext                   unsafe.Pointer
	flags                   uint32
	queueCreateInfoCount    uint32
	pQueueCreateInfos       unsafe.Pointer
	enabledLayerCount       uint32
	ppEnabledLayerNames     unsafe.Pointer
	enabledExtensionCount   uint32
	ppEnabledExtensionNames unsafe.Pointer
	pEnabledFeatures        unsafe.Pointer
}

type bufferCreateInfo struct {
	sType                 uint32
	pNext                 unsafe.Pointer
	flags                 uint32
	size                  uint64
	usage                 uint32
	sharingMode           uint32
	queueFamilyIndexCount uint32
	pQueueFamilyIndices   unsafe.Pointer
}

type memoryRequirements struct {
	size           uint64
	alignment      uint64
	memoryTypeBits uint32
}

type memoryAllocateInfo struct {
	sType           uint32
	pNext           unsafe.Pointer
	allocationSize  uint64
	memoryTypeIndex uint32
}

type descriptorSetLayoutBinding struct {
	binding            uint32
	descriptorType     uint32
	descriptorCount    uint32
	stageFlags         uint32
	pImmutableSamplers unsafe.Pointer
}

type descriptorSetLayoutCreateInfo struct {
	sType        uint32
	pNext        unsafe.Pointer
	flags        uint32
	bindingCount uint32
	pBindings    unsafe.Pointer
}

type pushConstantRange struct{ stageFlags, offset, size uint32 }

type pipelineLayoutCreateInfo struct {
	sType                  uint32
	pNext                  unsafe.Pointer
	flags                  uint32
	setLayoutCount         uint32
	pSetLayouts            unsafe.Pointer
	pushConstantRangeCount uint32
	pPushConstantRanges    unsafe.Pointer
}

type descriptorPoolSize struct {
	kind            uint32 `c:"type"`
	descriptorCount uint32
}

type descriptorPoolCreateInfo struct {
	sType         uint32
	pNext         unsafe.Pointer
	flags         uint32
	maxSets       uint32
	poolSizeCount uint32
	pPoolSizes    unsafe.Pointer
}

type descriptorSetAllocateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	descriptorPool     uint64
	descriptorSetCount uint32
	pSetLayouts        unsafe.Pointer
}

type writeDescriptorSet struct {
	sType            uint32
	pNext            unsafe.Pointer
	dstSet           uint64
	dstBinding       uint32
	dstArrayElement  uint32
	descriptorCount  uint32
	descriptorType   uint32
	pImageInfo       unsafe.Pointer
	pBufferInfo      unsafe.Pointer
	pTexelBufferView unsafe.Pointer
}

type pipelineCacheCreateInfo struct {
	sType           uint32
	pNext           unsafe.Pointer
	flags           uint32
	initialDataSize uintptr
	pInitialData    unsafe.Pointer
}

type shaderModuleCreateInfo struct {
	sType    uint32
	pNext    unsafe.Pointer
	flags    uint32
	codeSize uintptr
	pCode    unsafe.Pointer
}

type specializationMapEntry struct {
	constantID uint32
	offset     uint32
	size       uintptr
}

type specializationInfo struct {
	mapEntryCount uint32
	pMapEntries   unsafe.Pointer
	dataSize      uintptr
	pData         unsafe.Pointer
}

type pipelineShaderStageRequiredSubgroupSizeCreateInfo struct {
	sType                uint32
	pNext                unsafe.Pointer
	requiredSubgroupSize uint32
}

type pipelineShaderStageCreateInfo struct {
	sType               uint32
	pNext               unsafe.Pointer
	flags               uint32
	stage               uint32
	module              uint64
	pName               *byte
	pSpecializationInfo unsafe.Pointer
}

type computePipelineCreateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	flags              uint32
	stage              pipelineShaderStageCreateInfo
	layout             uint64
	basePipelineHandle uint64
	basePipelineIndex  int32
}

type pipelineExecutableInfoKHR struct {
	sType           uint32
	pNext           unsafe.Pointer
	pipeline        uint64
	executableIndex uint32
}

type pipelineExecutableStatisticKHR struct {
	sType       uint32
	pNext       unsafe.Pointer
	name        [256]byte
	description [256]byte
	format      uint32
	value       uint64
}

type pipelineExecutableInternalRepresentationKHR struct {
	sType       uint32
	pNext       unsafe.Pointer
	name        [256]byte
	description [256]byte
	isText      uint32
	dataSize    uintptr
	pData       unsafe.Pointer
}

type commandPoolCreateInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	queueFamilyIndex uint32
}

type commandBufferAllocateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	commandPool        uint64
	level              uint32
	commandBufferCount uint32
}

type commandBufferBeginInfo struct {
	sType            uint32
	pNext            unsafe.Pointer
	flags            uint32
	pInheritanceInfo unsafe.Pointer
}

type memoryBarrier struct {
	sType         uint32
	pNext         unsafe.Pointer
	srcAccessMask uint32
	dstAccessMask uint32
}

type bufferCopy struct{ srcOffset, dstOffset, size uint64 }

type submitInfo struct {
	sType                uint32
	pNext                unsafe.Pointer
	waitSemaphoreCount   uint32
	pWaitSemaphores      unsafe.Pointer
	pWaitDstStageMask    unsafe.Pointer
	commandBufferCount   uint32
	pCommandBuffers      unsafe.Pointer
	signalSemaphoreCount uint32
	pSignalSemaphores    unsafe.Pointer
}

type fenceCreateInfo struct {
	sType uint32
	pNext unsafe.Pointer
	flags uint32
}

type queryPoolCreateInfo struct {
	sType              uint32
	pNext              unsafe.Pointer
	flags              uint32
	queryType          uint32
	queryCount         uint32
	pipelineStatistics uint32
}
