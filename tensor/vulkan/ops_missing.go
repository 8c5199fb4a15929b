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
