//go:build required

package vulkan

// The binding's C headers lie in folders without Go code that is compiled; naming them here makes `go mod vendor` copy them.
import (
	_ "github.com/vulkan-go/vulkan/moltenVK"
	_ "github.com/vulkan-go/vulkan/vulkan"
)
