//go:build cgo && ((linux && !android) || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor/vulkan/internal/shim"

// openInstance creates the process's instance: in builds with cgo, through the binding.
var openInstance = shim.Open
