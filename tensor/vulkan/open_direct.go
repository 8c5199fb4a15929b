//go:build !cgo && ((linux && !android) || windows) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor/vulkan/internal/direct"

// openInstance creates the process's instance: in builds without cgo, by the addresses that the loader gives.
var openInstance = direct.Open
