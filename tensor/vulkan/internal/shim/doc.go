// Package shim is the one package that calls Vulkan with arrays of structs or chains of extension structs. The Go binding frees such
// memory from a finalizer that may run during the call, so everything of that kind is laid out here, in C. All else goes through
// github.com/vulkan-go/vulkan.
//
// Handles cross this boundary as uint64 or unsafe.Pointer. Results are Vulkan's result codes, 0 for success. Calls on one device must
// not run at the same time; instances and Messages may be used from any goroutine.
package shim
