package nn

import (
	"math"

	"github.com/gobeit/gobeit/autograd"
)

// BlockConfig is the configuration of a transformer block.
type BlockConfig struct {
	Width, Heads, Hidden   int
	QKVBias                bool
	KeyBias                bool    // with QKVBias: keys have a bias too, and the three are one parameter
	LayerScale             float64 // initial value; 0 or less: no gamma_1 and gamma_2
	Eps                    float32 // of the layer norms
	RelPosRows, RelPosCols int     // window of the block's own relative position table; 0: none
	DropPath               float64 // rate of stochastic depth
	Depth                  int     // position in the model, from 1: attn.proj and mlp.fc2 start divided by √(2·Depth); 0: they do not
	Layer                  uint64  // which layer this is for stochastic depth; no two blocks of a model share it
	Init                   LinearInit
}

// rescale is the factor on the initial weights of the layers that write to the residual stream.
func (c BlockConfig) rescale() float64 {
	if c.Depth == 0 {
		return 1
	}
	return 1 / math.Sqrt(2*float64(c.Depth))
}

// Block is a pre-norm transformer block:
//
//	x += drop(γ₁ ⊙ attention(norm1(x)))
//	x += drop(γ₂ ⊙ mlp(norm2(x)))
type Block struct {
	Norm1, Norm2   *LayerNorm
	Attn           *Attention
	MLP            *MLP
	Gamma1, Gamma2 *Param // [d], or nil
	DropPath       float64
	Layer          uint64 // which layer this is for stochastic depth
}

// NewBlock declares a block with "norm1", "attn", "norm2", "mlp" and, with LayerScale, "gamma_1" and "gamma_2".
func NewBlock(s Scope, c BlockConfig) *Block {
	b := &Block{DropPath: c.DropPath, Layer: c.Layer}
	if c.LayerScale > 0 {
		gamma := Const(float32(c.LayerScale))
		b.Gamma1, b.Gamma2 = s.Param("gamma_1", gamma, c.Width), s.Param("gamma_2", gamma, c.Width)
	}
	b.Norm1 = NewLayerNorm(s.Sub("norm1"), c.Width, c.Eps)
	b.Attn = newAttention(s.Sub("attn"), c)
	b.Norm2 = NewLayerNorm(s.Sub("norm2"), c.Width, c.Eps)
	b.MLP = NewMLP(s.Sub("mlp"), c.Width, c.Hidden, c.Init, c.Init.Scale(c.rescale()))
	return b
}

// Forward maps the residual stream x [B, N, d] to the next. shared is an attention bias [H, N, N] or nil.
func (b *Block) Forward(c Context, x, shared *autograd.Var) *autograd.Var {
	normed := b.Norm1.Forward(c, x)
	samples := x.Shape()[0]
	mixed := b.Attn.Mix(c, normed, shared)
	normed.Rematerialize()
	x = b.Attn.Proj.Forward(c, mixed, autograd.LinearOptions{
		Residual: x, Gamma: b.Gamma1.Var(c.Tape), Keep: c.Keep(2*b.Layer, b.DropPath, samples),
	})
	mixed.Rematerialize()
	normed = b.Norm2.Forward(c, x)
	x = b.MLP.Forward(c, normed, autograd.LinearOptions{
		Residual: x, Gamma: b.Gamma2.Var(c.Tape), Keep: c.Keep(2*b.Layer+1, b.DropPath, samples),
	})
	normed.Rematerialize()
	return x
}

// Blocks is a stack of transformer blocks.
type Blocks []*Block

// Forward runs x through all blocks. Without recording, and with c.CheckpointActivations, memory for activations is that of one block.
func (l Blocks) Forward(c Context, x, shared *autograd.Var) *autograd.Var {
	if len(l) == 0 {
		return x
	}
	last := len(l) - 1
	if !c.Tape.Recording() {
		return c.Tape.Scope(func() *autograd.Var { return l[last].Forward(c, l[:last].Forward(c, x, shared), shared) })
	}
	x = l[:last].Forward(c, x, shared)
	if c.CheckpointActivations {
		return autograd.Checkpoint(x, func(x *autograd.Var) *autograd.Var { return l[last].Forward(c, x, shared) })
	}
	return l[last].Forward(c, x, shared)
}
