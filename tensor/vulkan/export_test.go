//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// RunWithoutBarriers reads what was just written with nothing between, which no operation does.
func RunWithoutBarriers(dev *tensor.Device) {
	b := dev.Backend().(*backend)
	b.Begin("test", tensor.Highest)
	x, y := b.temp(64), b.temp(64)
	b.dispatch(shaders.Fill, nil, flat(1), []uint32{64, f(1)}, x)
	b.dispatch(shaders.Affine, nil, flat(1), []uint32{64, f(2), f(1)}, y, x.read())
	b.End()
	b.mu.Lock()
	defer b.mu.Unlock()
	for k := range b.batch.ops {
		b.batch.ops[k].Barrier = 0
	}
	b.drain()
}
