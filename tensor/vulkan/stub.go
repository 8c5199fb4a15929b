//go:build !(((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan)

package vulkan

import (
	"context"
	"runtime"

	"github.com/gobeit/gobeit/tensor"
)

// unavailable says why this build has no Vulkan.
func unavailable(op string) *Error {
	why := "Vulkan is not built for " + runtime.GOOS + "/" + runtime.GOARCH
	if runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" {
		switch runtime.GOOS {
		case "linux", "windows":
			why = "this build leaves Vulkan out: build without -tags novulkan"
		case "freebsd":
			why = "this build has no Vulkan: build with CGO_ENABLED=1 and a C compiler, and without -tags novulkan"
		case "darwin":
			why = "this build has no Vulkan: on macOS build with cgo and -tags vulkan, and install MoltenVK"
		}
	}
	return &Error{Op: op, Err: ErrUnavailable, Detail: why}
}

// Open returns an error: this build has no Vulkan.
func Open(context.Context, Options) (*tensor.Device, error) { return nil, unavailable("open") }

// OpenTrace returns an error: this build has no Vulkan.
func OpenTrace(context.Context, Options) (*tensor.Device, error) { return nil, unavailable("open") }

// CountsOf returns nothing: no device of this package can be open.
func CountsOf(*tensor.Device) Counts { return Counts{} }

// WorkgroupsOf returns nothing: no device of this package can be open.
func WorkgroupsOf(*tensor.Device) map[string]int64 { return nil }

// Devices returns an error: this build has no Vulkan.
func Devices(context.Context) ([]Info, error) { return nil, unavailable("list devices") }

// InfoOf returns nothing: no device of this package can be open.
func InfoOf(*tensor.Device) (i Info, ok bool) { return Info{}, false }

// Close does nothing: no device of this package can be open.
func Close(*tensor.Device) error { return nil }

// Messages returns nothing: there is no validation layer.
func Messages() (int, string) { return 0, "" }

// Variants returns nothing: no device of this package can be open.
func Variants(*tensor.Device) []string { return nil }
