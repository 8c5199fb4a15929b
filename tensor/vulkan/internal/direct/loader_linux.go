//go:build !android && (amd64 || arm64) && !novulkan

package direct

import "github.com/ebitengine/purego"

// openLoader returns vkGetInstanceProcAddr of a loader, or 0. The loader stays open for the life of the process: drivers do not survive its unloading.
func openLoader(name string) call {
	lib, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		return 0
	}
	p, err := purego.Dlsym(lib, "vkGetInstanceProcAddr")
	if err != nil {
		return 0
	}
	return call(p)
}
