package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// MaxPool takes the maximum over windows of [B, C, H, W]; see autograd.MaxPool.
type MaxPool struct{ Window tensor.Window }

// Forward maps x [B, C, H, W] to [B, C, H', W'].
func (p MaxPool) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.MaxPool(x, p.Window)
}

// AvgPool averages over windows of [B, C, H, W]; see autograd.AvgPool.
type AvgPool struct{ Window tensor.Window }

// Forward maps x [B, C, H, W] to [B, C, H', W'].
func (p AvgPool) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.AvgPool(x, p.Window)
}

// AdaptiveAvgPool averages over H·W bins of [B, C, .., ..]; see autograd.AdaptiveAvgPool.
type AdaptiveAvgPool struct{ H, W int }

// Forward maps x to [B, C, H, W].
func (p AdaptiveAvgPool) Forward(_ Context, x *autograd.Var) *autograd.Var {
	return autograd.AdaptiveAvgPool(x, p.H, p.W)
}

// Resize resizes [B, C, .., ..] to the sides H and W: bilinearly, or by the nearest cell.
type Resize struct {
	H, W    int
	Nearest bool
}

// Forward maps x to [B, C, H, W].
func (r Resize) Forward(_ Context, x *autograd.Var) *autograd.Var {
	if r.Nearest {
		return autograd.ResizeNearest(x, r.H, r.W)
	}
	return autograd.ResizeBilinear(x, r.H, r.W)
}
