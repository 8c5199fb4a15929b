//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Dropout draws each element's number.
func (b *backend) Dropout(dst, x *tensor.Tensor, r *tensor.Rand, below uint32, scale float32, inner int) {
	key := r.Key()
	b.rows(dst.Size()/inner, inner, func(lo, n int) {
		b.dispatch(shaders.Dropout, nil, elements(n*inner), []uint32{u(n * inner), u(inner), u(lo), key[0], key[1], below, f(scale)},
			write(dst).rows(lo, n, inner), read(x).rows(lo, n, inner))
	})
}
