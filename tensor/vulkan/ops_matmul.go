//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor"

// MatMul multiplies each pair of a batch.
func (b *backend) MatMul(dst, x, y *tensor.Tensor, add bool, p tensor.Precision) {
	if dst.Size() == 0 {
		return
	}
	xs, ys := x.Strides(), y.Strides()
	b.multiply(product{
		batch: dst.Shape()[0], m: dst.Shape()[1], n: dst.Shape()[2], k: x.Shape()[2], c: update(dst), a: b.operand(x, dst), b: b.operand(y, dst), add: add,
		aRow: xs[1], aCol: xs[2], bRow: ys[1], bCol: ys[2], aNext: xs[0], bNext: ys[0], faster: b.faster(p),
	})
}

// operand is a matrix that a product reads; one without elements is bound to the result, of which nothing is read.
func (b *backend) operand(t, dst *tensor.Tensor) arg {
	if t.Size() == 0 {
		return read(dst).part(0, 1)
	}
	return read(t)
}
