//go:build required

package vulkan

// The C headers of the binding are in folders without compiled Go code. Importing them here makes `go mod vendor` copy them.
import (
	_ "github.com/vulkan-go/vulkan/moltenVK"
	_ "github.com/vulkan-go/vulkan/vulkan"
)
