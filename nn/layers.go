package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// LinearInit returns the initialisers of weight and bias of a linear layer with fanIn inputs.
type LinearInit func(fanIn int) (weight, bias Init)

// Normal returns the LinearInit with normal weights of standard deviation std, truncated to [lo, hi], and zero biases.
func Normal(std, lo, hi float64) LinearInit {
	return func(int) (Init, Init) { return TruncNormal(std, lo, hi), Zeros }
}

// LibraryDefault is the default LinearInit of PyTorch: weight and bias uniform within ±1/√fanIn.
func LibraryDefault(fanIn int) (weight, bias Init) { return FanIn(fanIn), FanIn(fanIn) }

// Scale returns a LinearInit that multiplies the weights, but not the biases, by factor.
func (f LinearInit) Scale(factor float64) LinearInit {
	return func(fanIn int) (Init, Init) {
		w, b := f(fanIn)
		return Scaled(w, factor), b
	}
}

// Linear is a linear layer, y = x·wᵀ + b.
type Linear struct {
	W *Param // [out, in]
	B *Param // [out], nil without a bias
}

// NewLinear declares a linear layer with the parameters "weight" and "bias".
func NewLinear(s Scope, in, out int, init LinearInit) *Linear {
	w, b := init(in)
	return &Linear{W: s.Param("weight", w, out, in), B: s.Param("bias", b, out)}
}

// Forward maps x [.., in] to [.., out], with the fused options o.
func (l *Linear) Forward(c Context, x *autograd.Var, o autograd.LinearOptions) *autograd.Var {
	return autograd.Linear(x, l.W.Var(c.Tape), l.B.Var(c.Tape), o)
}

// LayerNorm is layer normalisation over the last axis.
type LayerNorm struct {
	W, B *Param // [d]
	Eps  float32
}

// NewLayerNorm declares a layer norm with the parameters "weight", initially 1, and "bias", initially 0.
func NewLayerNorm(s Scope, d int, eps float32) *LayerNorm {
	return &LayerNorm{W: s.Param("weight", Ones, d), B: s.Param("bias", Zeros, d), Eps: eps}
}

// Forward normalises x [.., d].
func (n *LayerNorm) Forward(c Context, x *autograd.Var) *autograd.Var {
	return autograd.LayerNorm(x, n.W.Var(c.Tape), n.B.Var(c.Tape), n.Eps)
}

// PatchEmbed is the patch embedding of a ViT: a convolution with kernel and stride equal to the patch size, computed as a linear layer on
// flattened patches.
type PatchEmbed struct {
	W     *Param // [d, C, P, P]
	B     *Param // [d]
	Patch int
}

// NewPatchEmbed declares a patch embedding with the parameters "weight" and "bias".
func NewPatchEmbed(s Scope, channels, patch, d int, init LinearInit) *PatchEmbed {
	w, b := init(channels * patch * patch)
	return &PatchEmbed{
		W: s.Param("weight", w, d, channels, patch, patch), B: s.Param("bias", b, d), Patch: patch,
	}
}

// Forward maps images [B, C, H, W] to tokens [B, N, d], in row-major order of patches.
func (e *PatchEmbed) Forward(c Context, images *autograd.Var) *autograd.Var {
	return e.Tokens(c, autograd.Patchify(images, e.Patch))
}

// Tokens is Forward for patches that are already flattened, [B, N, C·P·P] in (channel, y, x) order.
func (e *PatchEmbed) Tokens(c Context, patches *autograd.Var) *autograd.Var {
	return autograd.Linear(patches, e.W.flat(c.Tape), e.B.Var(c.Tape), autograd.LinearOptions{})
}

// flat is Var, reshaped to a matrix of Shape[0] rows.
func (p *Param) flat(t *autograd.Tape) *autograd.Var {
	p.mustBeBuilt()
	rows := p.Shape[0]
	if p.Grad == nil {
		return t.Constant(p.Value.Reshape(rows, -1))
	}
	return t.Param(p.Value.Reshape(rows, -1), p.Grad.Reshape(rows, -1))
}

// MLP is the feed-forward network of a block, fc2(GELU(fc1(x))).
type MLP struct {
	FC1, FC2  *Linear
	QuickGELU bool // x·sigmoid(1.702x) in place of GELU
}

// NewMLP declares an MLP with the layers "fc1" and "fc2".
func NewMLP(s Scope, d, hidden int, fc1, fc2 LinearInit) *MLP {
	return &MLP{FC1: NewLinear(s.Sub("fc1"), d, hidden, fc1), FC2: NewLinear(s.Sub("fc2"), hidden, d, fc2)}
}

// Forward applies the MLP to x [.., d]. o are the options fused with fc2.
func (m *MLP) Forward(c Context, x *autograd.Var, o autograd.LinearOptions) *autograd.Var {
	h := m.FC1.Forward(c, x, autograd.LinearOptions{GELU: !m.QuickGELU})
	if m.QuickGELU {
		h = autograd.Unary(tensor.UnaryQuickGELU, h)
	}
	y := m.FC2.Forward(c, h, o)
	h.Rematerialize()
	return y
}
