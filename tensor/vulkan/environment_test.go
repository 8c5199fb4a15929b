package vulkan_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor/vulkan"
)

// roles are what the test binary does as another process, with an environment of its own, because a process loads Vulkan once.
var roles = map[string]func(){
	"open": func() {
		_, err := vulkan.Open(context.Background(), vulkan.Options{})
		fmt.Println(err)
	},
	"devices": func() {
		_, err := vulkan.Devices(context.Background())
		fmt.Println(err)
	},
}

// inEnvironment plays a role under additional environment and returns what it prints.
func inEnvironment(t *testing.T, role string, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), "BEIT_VK_TEST_ROLE="+role, "BEIT_VK_DEVICE="), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestBadEnvironments(t *testing.T) {
	infos, err := vulkan.Devices(context.Background())
	if err != nil || len(infos) == 0 {
		skipOrFail(t, fmt.Errorf("no Vulkan device: %v", err))
	}
	onlyCPU := true
	for _, info := range infos {
		onlyCPU = onlyCPU && info.Kind == "cpu"
	}
	nowhere := t.TempDir() + "/none.json"
	tests := []struct {
		name, role string
		env        []string
		want       string
		possible   bool
	}{
		{"no loader", "open", []string{"BEIT_VK_LOADER=" + nowhere}, "no Vulkan loader", true},
		{"no loader, list", "devices", []string{"BEIT_VK_LOADER=" + nowhere}, "no Vulkan loader", true},
		{"no driver", "open", []string{"VK_ICD_FILENAMES=" + nowhere, "VK_DRIVER_FILES=" + nowhere}, "no Vulkan driver found", true},
		{"no driver, list", "devices", []string{"VK_ICD_FILENAMES=" + nowhere, "VK_DRIVER_FILES=" + nowhere}, "no Vulkan driver found", true},
		{"only a CPU driver", "open", nil, "only a CPU driver is there", onlyCPU},
		{"no such index", "open", []string{"BEIT_VK_DEVICE=99"}, `there is no device "99"`, true},
		{"no such name", "open", []string{"BEIT_VK_DEVICE=fast"}, `there is no device "fast"`, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if !test.possible {
				t.Skip("this machine has a GPU")
			}
			got := inEnvironment(t, test.role, test.env...)
			if !strings.Contains(got, test.want) || strings.Contains(got, "\n") || !strings.HasPrefix(got, "vulkan: ") {
				t.Errorf("%s, want one line with %q", got, test.want)
			}
		})
	}
}
