//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// RunWithoutBarriers writes memory twice with nothing between, which no operation does.
func RunWithoutBarriers(dev *tensor.Device) {
	b := dev.Backend().(*device)
	b.begin("test")
	x := b.temp(64)
	for k := range 2 {
		b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, u(k)}, x)
	}
	b.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.batch.ops {
		b.batch.ops[k].Barrier = 0
	}
	b.drain()
}
