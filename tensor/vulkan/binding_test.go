package vulkan_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The binding frees the C copies of arrays of structs from a finalizer that may run during the call. Such calls belong to C code of the shim.
var freedEarly = regexp.MustCompile(`\bvulkan\.(CreateComputePipelines|CreateGraphicsPipelines|QueueSubmit|QueueBindSparse|UpdateDescriptorSets|CmdPipelineBarrier|CmdWaitEvents|` +
	`CmdCopyBuffer|CmdCopyImage\w*|CmdCopyBufferToImage|FlushMappedMemoryRanges|InvalidateMappedMemoryRanges|CreateInstance|CreateDevice|` +
	`CreateDescriptorSetLayout|CreateDescriptorPool|CreatePipelineLayout|Enumerate(Instance|Device)(Extension|Layer)Properties|` +
	`GetPhysicalDeviceQueueFamilyProperties|CreateDebugReportCallback)\(`)

func TestNoCallWithArraysThroughTheBinding(t *testing.T) {
	const path = "internal/shim/binding.go"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if call := freedEarly.FindString(line); call != "" {
			t.Errorf("%s:%d: %s frees its arrays during the call: do it in shim.c", path, i+1, call)
		}
	}
	if seen := strings.Count(string(text), "vulkan."); seen < 20 {
		t.Errorf("only %d uses of the binding found: does it still go by the name vulkan?", seen)
	}
	for _, line := range []string{"r := vulkan.QueueSubmit(q, 1, nil, f)", "vulkan.CreateComputePipelines(d, c, 1, infos, nil, out)"} {
		if !freedEarly.MatchString(line) {
			t.Errorf("%s is not found", line)
		}
	}
}

// Only internal/shim knows the binding: whoever imports it elsewhere brings cgo into the build without a C compiler.
func TestOnlyTheShimImportsTheBinding(t *testing.T) {
	var found []string
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, one := range file.Imports {
			if strings.HasPrefix(one.Path.Value, `"github.com/vulkan-go/vulkan`) {
				found = append(found, filepath.ToSlash(path))
				break
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"internal/shim/binding.go", "internal/shim/shim.go", "required.go"}; !slices.Equal(found, want) {
		t.Errorf("imported by %q, want %q", found, want)
	}
}
