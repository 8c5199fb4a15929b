//go:build !(((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan)

package vulkan_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gobeit/gobeit/tensor/vulkan"
)

// A build without Vulkan says so, and gives no device.
func TestBuildWithoutVulkan(t *testing.T) {
	dev, err := vulkan.Open(context.Background(), vulkan.Options{})
	if dev != nil || !errors.Is(err, vulkan.ErrUnavailable) {
		t.Errorf("Open gave %v, %v", dev, err)
	}
	infos, err := vulkan.Devices(context.Background())
	if infos != nil || !errors.Is(err, vulkan.ErrUnavailable) {
		t.Errorf("Devices gave %v, %v", infos, err)
	}
}
