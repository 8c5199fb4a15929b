//go:build (amd64 || arm64) && !novulkan

package direct

import "golang.org/x/sys/windows"

// openLoader returns vkGetInstanceProcAddr of a loader, or 0. The loader stays open for the life of the process: drivers do not survive its unloading.
func openLoader(name string) call {
	lib, err := windows.LoadLibrary(name)
	if err != nil {
		return 0
	}
	p, err := windows.GetProcAddress(lib, "vkGetInstanceProcAddr")
	if err != nil {
		return 0
	}
	return call(p)
}
