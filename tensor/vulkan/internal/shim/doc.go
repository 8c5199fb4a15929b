// Package shim makes the calls of package vk through cgo. Calls with arrays of structs or chains of extension structs are C code (shim.c): the Go
// binding frees such memory from a finalizer that may run during the call. All else goes through github.com/vulkan-go/vulkan (binding.go).
package shim
