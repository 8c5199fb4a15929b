//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// Resample gathers the inputs of each element.
func (b *backend) Resample(a tensor.ResampleArgs) {
	from, to := a.From*a.Inner, a.To*a.Inner
	b.rows(a.Outer, max(from, to), func(lo, n int) {
		b.dispatch(shaders.Resample, nil, elements(n*to), []uint32{u(n * to), u(a.From), u(a.To), u(a.Inner)},
			write(a.Dst).rows(lo, n, to), read(a.Src).rows(lo, n, from), read(a.Bands), read(a.Weights))
	})
}
