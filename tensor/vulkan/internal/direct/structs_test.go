//go:build ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package direct

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/gobeit/gobeit/tensor/vulkan/internal/vk"
)

// layouts has every struct that a call takes by its name in C: its size and the offsets of its fields, as a C compiler lays out the headers of
// Vulkan 1.1.88 for 64 bits. Those marked are newer than that: their layout is counted from the specification.
var layouts = []struct {
	c      string
	of     any
	newer  bool
	layout string
}{
	{"VkApplicationInfo", applicationInfo{}, false, "48: 0 8 16 24 32 40 44"},
	{"VkInstanceCreateInfo", instanceCreateInfo{}, false, "64: 0 8 16 24 32 40 48 56"},
	{"VkDebugUtilsMessengerCreateInfoEXT", debugUtilsMessengerCreateInfoEXT{}, false, "48: 0 8 16 20 24 32 40"},
	{"VkExtensionProperties", extensionProperties{}, false, "260: 0 256"},
	{"VkQueueFamilyProperties", queueFamilyProperties{}, false, "24: 0 4 8 12"},
	{"VkPhysicalDeviceProperties", physicalDeviceProperties{}, false, "824: 0 4 8 12 16 20 276 296 800"},
	{"VkPhysicalDeviceLimits", physicalDeviceLimits{}, false, "504: 28 32 76 216 220 232 328 424"},
	{"VkMemoryType", memoryType{}, false, "8: 0 4"},
	{"VkMemoryHeap", memoryHeap{}, false, "16: 0 8"},
	{"VkPhysicalDeviceMemoryProperties", physicalDeviceMemoryProperties{}, false, "520: 0 4 260 264"},
	{"VkPhysicalDeviceFeatures2", physicalDeviceFeatures2{}, false, "240: 0 8 16"},
	{"VkPhysicalDeviceProperties2", physicalDeviceProperties2{}, false, "840: 0 8 16"},
	{"VkPhysicalDeviceMaintenance3Properties", physicalDeviceMaintenance3Properties{}, false, "32: 0 8 16 24"},
	{"VkPhysicalDeviceSubgroupProperties", physicalDeviceSubgroupProperties{}, false, "32: 0 8 16 20 24 28"},
	{"VkPhysicalDeviceMemoryProperties2", physicalDeviceMemoryProperties2{}, false, "536: 0 8 16"},
	{"VkDeviceQueueCreateInfo", deviceQueueCreateInfo{}, false, "40: 0 8 16 20 24 32"},
	{"VkDeviceCreateInfo", deviceCreateInfo{}, false, "72: 0 8 16 20 24 32 40 48 56 64"},
	{"VkBufferCreateInfo", bufferCreateInfo{}, false, "56: 0 8 16 24 32 36 40 48"},
	{"VkMemoryRequirements", memoryRequirements{}, false, "24: 0 8 16"},
	{"VkMemoryAllocateInfo", memoryAllocateInfo{}, false, "32: 0 8 16 24"},
	{"VkDescriptorSetLayoutBinding", descriptorSetLayoutBinding{}, false, "24: 0 4 8 12 16"},
	{"VkDescriptorSetLayoutCreateInfo", descriptorSetLayoutCreateInfo{}, false, "32: 0 8 16 20 24"},
	{"VkPushConstantRange", pushConstantRange{}, false, "12: 0 4 8"},
	{"VkPipelineLayoutCreateInfo", pipelineLayoutCreateInfo{}, false, "48: 0 8 16 20 24 32 40"},
	{"VkDescriptorPoolSize", descriptorPoolSize{}, false, "8: 0 4"},
	{"VkDescriptorPoolCreateInfo", descriptorPoolCreateInfo{}, false, "40: 0 8 16 20 24 32"},
	{"VkDescriptorSetAllocateInfo", descriptorSetAllocateInfo{}, false, "40: 0 8 16 24 32"},
	{"VkWriteDescriptorSet", writeDescriptorSet{}, false, "64: 0 8 16 24 28 32 36 40 48 56"},
	{"VkPipelineCacheCreateInfo", pipelineCacheCreateInfo{}, false, "40: 0 8 16 24 32"},
	{"VkShaderModuleCreateInfo", shaderModuleCreateInfo{}, false, "40: 0 8 16 24 32"},
	{"VkSpecializationMapEntry", specializationMapEntry{}, false, "16: 0 4 8"},
	{"VkSpecializationInfo", specializationInfo{}, false, "32: 0 8 16 24"},
	{"VkPipelineShaderStageCreateInfo", pipelineShaderStageCreateInfo{}, false, "48: 0 8 16 20 24 32 40"},
	{"VkComputePipelineCreateInfo", computePipelineCreateInfo{}, false, "96: 0 8 16 24 72 80 88"},
	{"VkCommandPoolCreateInfo", commandPoolCreateInfo{}, false, "24: 0 8 16 20"},
	{"VkCommandBufferAllocateInfo", commandBufferAllocateInfo{}, false, "32: 0 8 16 24 28"},
	{"VkCommandBufferBeginInfo", commandBufferBeginInfo{}, false, "32: 0 8 16 24"},
	{"VkMemoryBarrier", memoryBarrier{}, false, "24: 0 8 16 20"},
	{"VkBufferCopy", bufferCopy{}, false, "24: 0 8 16"},
	{"VkSubmitInfo", submitInfo{}, false, "72: 0 8 16 24 32 40 48 56 64"},
	{"VkFenceCreateInfo", fenceCreateInfo{}, false, "24: 0 8 16"},
	{"VkQueryPoolCreateInfo", queryPoolCreateInfo{}, false, "32: 0 8 16 20 24 28"},
	{"VkPhysicalDeviceDriverProperties", physicalDeviceDriverProperties{}, true, "536: 0 8 16 20 276 532"},
	{"VkPhysicalDeviceCooperativeMatrixPropertiesKHR", physicalDeviceCooperativeMatrixPropertiesKHR{}, true, "24: 0 8 16"},
	{"VkPhysicalDeviceSubgroupSizeControlProperties", physicalDeviceSubgroupSizeControlProperties{}, true, "32: 0 8 16 20 24 28"},
	{"VkPhysicalDeviceMemoryBudgetPropertiesEXT", physicalDeviceMemoryBudgetPropertiesEXT{}, true, "272: 0 8 16 144"},
	{"VkCooperativeMatrixPropertiesKHR", cooperativeMatrixPropertiesKHR{}, true, "56: 0 8 16 20 24 28 32 36 40 44 48"},
	{"VkPipelineShaderStageRequiredSubgroupSizeCreateInfo", pipelineShaderStageRequiredSubgroupSizeCreateInfo{}, true, "24: 0 8 16"},
	{"VkPipelineExecutableInfoKHR", pipelineExecutableInfoKHR{}, true, "32: 0 8 16 24"},
	{"VkPipelineExecutableStatisticKHR", pipelineExecutableStatisticKHR{}, true, "544: 0 8 16 272 528 536"},
	{"VkPipelineExecutableInternalRepresentationKHR", pipelineExecutableInternalRepresentationKHR{}, true, "552: 0 8 16 272 528 536 544"},
}

// fields lists the named fields of a struct.
func fields(of any) (list []reflect.StructField) {
	for f := range reflect.TypeOf(of).Fields() {
		if f.Name != "_" {
			list = append(list, f)
		}
	}
	return list
}

func TestStructsAreThoseOfC(t *testing.T) {
	for _, l := range layouts {
		got := fmt.Sprintf("%d:", reflect.TypeOf(l.of).Size())
		for _, f := range fields(l.of) {
			got += fmt.Sprintf(" %d", f.Offset)
		}
		if got != l.layout {
			t.Errorf("%s: %s, want %s", l.c, got, l.layout)
		}
	}
	// These two are beginnings, or longer than some: what is read of them must be where C has it.
	d := debugUtilsMessengerCallbackDataEXT{}
	if at := unsafe.Offsetof(d.pMessage); at != 40 {
		t.Errorf("VkDebugUtilsMessengerCallbackDataEXT: the message is at %d, want 40", at)
	}
	if f := (features{}); unsafe.Offsetof(f.on) != 16 || unsafe.Sizeof(f) != 32 {
		t.Errorf("VkPhysicalDevice…Features: they are at %d of %d, want 16 of 32", unsafe.Offsetof(f.on), unsafe.Sizeof(f))
	}
	if b := (vk.Binding{}); unsafe.Offsetof(b.Offset) != 8 || unsafe.Offsetof(b.Range) != 16 || unsafe.Sizeof(b) != 24 {
		t.Error("vk.Binding is not VkDescriptorBufferInfo")
	}
}

// Where there is a C compiler, the layouts are those that it gives the headers that the binding brings.
func TestLayoutsAreThoseOfTheHeaders(t *testing.T) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler")
	}
	module, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/vulkan-go/vulkan").Output()
	headers := filepath.Join(strings.TrimSpace(string(module)), "vulkan")
	if _, missing := os.Stat(filepath.Join(headers, "vulkan_core.h")); err != nil || missing != nil {
		t.Skip("no headers of Vulkan: ", err, missing)
	}
	source := "#include <stdio.h>\n#include <stddef.h>\n#include \"vulkan_core.h\"\nint main(void) {\n"
	var want string
	for _, l := range layouts {
		if l.newer {
			continue
		}
		source += fmt.Sprintf("\tprintf(\"%s %%zu:\", sizeof(%s));\n", l.c, l.c)
		for _, f := range fields(l.of) {
			name := f.Name
			if tag := f.Tag.Get("c"); tag != "" {
				name = tag
			}
			source += fmt.Sprintf("\tprintf(\" %%zu\", offsetof(%s, %s));\n", l.c, name)
		}
		source += "\tputs(\"\");\n"
		want += l.c + " " + l.layout + "\n"
	}
	source += "\treturn 0;\n}\n"
	dir := t.TempDir()
	file, program := filepath.Join(dir, "layouts.c"), filepath.Join(dir, "layouts")
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(compiler, "-I", headers, "-o", program, file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := exec.Command(program).Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("the headers have\n%swant\n%s", got, want)
	}
}
