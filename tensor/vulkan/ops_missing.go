//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor"

// Operations that are still to be written.

func (*backend) MatMul(dst, a, b *tensor.Tensor, add bool, p tensor.Precision) {
	panic("vulkan: MatMul: not yet")
}
func (*backend) Linear(a tensor.LinearArgs)               { panic("vulkan: Linear: not yet") }
func (*backend) LinearGrad(a tensor.LinearGradArgs)       { panic("vulkan: LinearGrad: not yet") }
func (*backend) Attention(a tensor.AttentionArgs)         { panic("vulkan: Attention: not yet") }
func (*backend) AttentionGrad(a tensor.AttentionGradArgs) { panic("vulkan: AttentionGrad: not yet") }
func (*backend) CrossEntropy(a tensor.CrossEntropyArgs)   { panic("vulkan: CrossEntropy: not yet") }
func (*backend) CrossEntropyGrad(dlogits, dloss *tensor.Tensor, a tensor.CrossEntropyArgs) {
	panic("vulkan: CrossEntropyGrad: not yet")
}
func (*backend) CosineLoss(loss, x, t *tensor.Tensor) { panic("vulkan: CosineLoss: not yet") }
func (*backend) CosineLossGrad(dx, dloss, x, t *tensor.Tensor) {
	panic("vulkan: CosineLossGrad: not yet")
}
func (*backend) NearestCode(codes, z, codebook *tensor.Tensor)   { panic("vulkan: NearestCode: not yet") }
func (*backend) CodeStats(counts, sums, codes, z *tensor.Tensor) { panic("vulkan: CodeStats: not yet") }
func (*backend) CodebookEMA(codebook, counts, sums *tensor.Tensor, decay float32) {
	panic("vulkan: CodebookEMA: not yet")
}
func (*backend) GatherRows(dst, src, index *tensor.Tensor) { panic("vulkan: GatherRows: not yet") }
func (*backend) ScatterAddRows(dst, src, index *tensor.Tensor) {
	panic("vulkan: ScatterAddRows: not yet")
}
func (*backend) Patchify(dst, img *tensor.Tensor, p int)   { panic("vulkan: Patchify: not yet") }
func (*backend) Unpatchify(img, dst *tensor.Tensor, p int) { panic("vulkan: Unpatchify: not yet") }
func (*backend) GradNorm(state, grads *tensor.Tensor, maxNorm float32) {
	panic("vulkan: GradNorm: not yet")
}
func (*backend) AdamW(p, g, m, v, state *tensor.Tensor, h tensor.AdamWHyper) {
	panic("vulkan: AdamW: not yet")
}
func (*backend) SGD(p, g, buf, state *tensor.Tensor, h tensor.SGDHyper) {
	panic("vulkan: SGD: not yet")
}
