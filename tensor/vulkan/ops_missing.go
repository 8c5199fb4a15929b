//go:build cgo && (linux || windows || freebsd || (darwin && vulkan)) && (amd64 || arm64) && !novulkan

package vulkan

import "github.com/gobeit/gobeit/tensor"

// Operations that are still to be written.

func (*backend) Copy(dst, src *tensor.Tensor)                   { panic("vulkan: Copy: not yet") }
func (*backend) Cast(dst, src *tensor.Tensor)                   { panic("vulkan: Cast: not yet") }
func (*backend) Unary(op tensor.UnaryOp, dst, x *tensor.Tensor) { panic("vulkan: Unary: not yet") }
func (*backend) UnaryGrad(op tensor.UnaryOp, dx, dy, x, y *tensor.Tensor) {
	panic("vulkan: UnaryGrad: not yet")
}
func (*backend) Binary(op tensor.BinaryOp, dst, a, b *tensor.Tensor) {
	panic("vulkan: Binary: not yet")
}
func (*backend) Affine(dst, x *tensor.Tensor, scale, shift float32) { panic("vulkan: Affine: not yet") }
func (*backend) AddScaled(dst, x *tensor.Tensor, a float32)         { panic("vulkan: AddScaled: not yet") }
func (*backend) Reduce(op tensor.ReduceOp, dst, x *tensor.Tensor, outer, n, inner int) {
	panic("vulkan: Reduce: not yet")
}
func (*backend) ArgMax(dst, x *tensor.Tensor)         { panic("vulkan: ArgMax: not yet") }
func (*backend) Softmax(dst, x *tensor.Tensor)        { panic("vulkan: Softmax: not yet") }
func (*backend) SoftmaxGrad(dx, dy, y *tensor.Tensor) { panic("vulkan: SoftmaxGrad: not yet") }
func (*backend) MatMul(dst, a, b *tensor.Tensor, add bool, p tensor.Precision) {
	panic("vulkan: MatMul: not yet")
}
func (*backend) Linear(a tensor.LinearArgs)               { panic("vulkan: Linear: not yet") }
func (*backend) LinearGrad(a tensor.LinearGradArgs)       { panic("vulkan: LinearGrad: not yet") }
func (*backend) Attention(a tensor.AttentionArgs)         { panic("vulkan: Attention: not yet") }
func (*backend) AttentionGrad(a tensor.AttentionGradArgs) { panic("vulkan: AttentionGrad: not yet") }
func (*backend) LayerNorm(a tensor.LayerNormArgs)         { panic("vulkan: LayerNorm: not yet") }
func (*backend) LayerNormGrad(a tensor.LayerNormGradArgs) { panic("vulkan: LayerNormGrad: not yet") }
func (*backend) L2Normalize(y, norm, x *tensor.Tensor, eps float32) {
	panic("vulkan: L2Normalize: not yet")
}
func (*backend) L2NormalizeGrad(dx, dy, y, norm *tensor.Tensor, eps float32) {
	panic("vulkan: L2NormalizeGrad: not yet")
}
func (*backend) CrossEntropy(a tensor.CrossEntropyArgs) { panic("vulkan: CrossEntropy: not yet") }
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
