package vulkan_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The binding frees the C copies of arrays of structs from a finalizer that may run during the call. Such calls belong to the shim.
var freedEarly = regexp.MustCompile(`\bvk\.(CreateComputePipelines|CreateGraphicsPipelines|QueueSubmit|QueueBindSparse|UpdateDescriptorSets|CmdPipelineBarrier|CmdWaitEvents|` +
	`CmdCopyBuffer|CmdCopyImage\w*|CmdCopyBufferToImage|FlushMappedMemoryRanges|InvalidateMappedMemoryRanges|CreateInstance|CreateDevice|` +
	`CreateDescriptorSetLayout|CreateDescriptorPool|CreatePipelineLayout|Enumerate(Instance|Device)(Extension|Layer)Properties|` +
	`GetPhysicalDeviceQueueFamilyProperties|CreateDebugReportCallback)\(`)

func TestNoCallWithArraysOutsideTheShim(t *testing.T) {
	seen := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || path == "binding_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen += strings.Count(string(text), "vk.")
		for i, line := range strings.Split(string(text), "\n") {
			if call := freedEarly.FindString(line); call != "" {
				t.Errorf("%s:%d: %s frees its arrays during the call: do it in internal/shim", path, i+1, call)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Errorf("only %d uses of the binding found: does it still go by the name vk?", seen)
	}
	for _, line := range []string{"r := vk.QueueSubmit(q, 1, nil, f)", "vk.CreateComputePipelines(d, c, 1, infos, nil, out)"} {
		if !freedEarly.MatchString(line) {
			t.Errorf("%s is not found", line)
		}
	}
}
