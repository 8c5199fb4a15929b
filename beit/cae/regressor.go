package cae

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// RegressorBlock is a block of the regressor. The tokens x of masked patches ask those of all patches, z = [visible, x]; the positions p go to queries
// and keys, and not to values:
//
//	x += drop(γ₁ ⊙ attention(norm1_q(x + p), norm1_k(z + p), norm1_v(z)))
//	x  = norm2(x)
//	x += drop(γ₂ ⊙ mlp(x))
//
// The second norm replaces the residual stream. Tokens of visible patches never change.
type RegressorBlock struct {
	NormQ, NormK, NormV, Norm2 *nn.LayerNorm
	Cross                      *nn.CrossAttention // queries and values have a bias, keys have none
	MLP                        *nn.MLP
	Gamma1, Gamma2             *nn.Param // [d]; fixed at 1 without LayerScale
	DropPath                   float64
	Layer                      uint64 // which layer this is for stochastic depth
}

// newRegressorBlock declares a block under the names of the authors' modeling_cae_helper.py.
func newRegressorBlock(s nn.Scope, c nn.BlockConfig) *RegressorBlock {
	d, cross := c.Width, s.Sub("cross_attn")
	norm := func(name string) *nn.LayerNorm { return nn.NewLayerNorm(s.Sub(name), d, c.Eps) }
	square := func(name string, bias *nn.Param) *nn.Linear {
		weight, _ := c.Init(d)
		return &nn.Linear{W: cross.Sub(name).Param("weight", weight, d, d), B: bias}
	}
	b := &RegressorBlock{
		NormQ: norm("norm1_q"), NormK: norm("norm1_k"), NormV: norm("norm1_v"), Norm2: norm("norm2_cross"),
		Cross: &nn.CrossAttention{
			Q: square("q", cross.Param("q_bias", nn.Zeros, d)), K: square("k", nil), V: square("v", cross.Param("v_bias", nn.Zeros, d)),
			Proj: nn.NewLinear(cross.Sub("proj"), d, d, c.Init), Heads: c.Heads,
		},
		MLP: nn.NewMLP(s.Sub("mlp_cross"), d, c.Hidden, c.Init, c.Init), DropPath: c.DropPath, Layer: c.Layer,
	}
	gamma := func(name string) *nn.Param {
		if c.LayerScale > 0 {
			return s.Param(name, nn.Const(float32(c.LayerScale)), d)
		}
		return s.Buffer(name, nn.Ones, d)
	}
	b.Gamma1, b.Gamma2 = gamma("gamma_1_cross"), gamma("gamma_2_cross")
	return b
}

// surroundings are what all blocks of the regressor see beside their stream.
type surroundings struct {
	visible        *autograd.Var // tokens of visible patches [B, V, d]
	masked, places *autograd.Var // positions of masked patches [B, M, d]; of visible, then masked ones [B, V+M, d]
}

// Forward maps the tokens x [B, M, d] of masked patches to the next.
func (b *RegressorBlock) Forward(c nn.Context, x *autograd.Var, in surroundings) *autograd.Var {
	samples := x.Shape()[0]
	all := autograd.Concat(1, in.visible, x)
	q := b.NormQ.Forward(c, autograd.Add(x, in.masked))
	k := b.NormK.Forward(c, autograd.Add(all, in.places))
	x = b.Cross.Forward(c, q, k, b.NormV.Forward(c, all), nil, autograd.LinearOptions{
		Residual: x, Gamma: b.Gamma1.Var(c.Tape), Keep: c.Keep(2*b.Layer, b.DropPath, samples),
	})
	x = b.Norm2.Forward(c, x)
	return b.MLP.Forward(c, x, autograd.LinearOptions{
		Residual: x, Gamma: b.Gamma2.Var(c.Tape), Keep: c.Keep(2*b.Layer+1, b.DropPath, samples),
	})
}

// regress runs x through the blocks. With c.CheckpointActivations memory for activations is that of one block.
func regress(c nn.Context, blocks []*RegressorBlock, x *autograd.Var, in surroundings) *autograd.Var {
	for _, b := range blocks {
		if c.CheckpointActivations {
			x = autograd.Checkpoint(x, func(x *autograd.Var) *autograd.Var { return b.Forward(c, x, in) })
		} else {
			x = b.Forward(c, x, in)
		}
	}
	return x
}
