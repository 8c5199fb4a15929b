//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Fill sets every element.
func (b *backend) Fill(dst *tensor.Tensor, v float32) {
	b.chunks(dst.Size(), 1, func(lo, n int) {
		b.dispatch(shaders.Fill, nil, flat(div(n, threads)), []uint32{u(n), f(v)}, write(dst).part(lo, n))
	})
}
