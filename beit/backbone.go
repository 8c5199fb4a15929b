package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// backbone is the part that classifier, tokenizer and MIM model share: patch embedding, class token, positions and blocks. It ends with
// the residual stream; norms and heads belong to the models.
type backbone struct {
	Embed     *nn.PatchEmbed
	CLS       *nn.Param      // [1, 1, d]
	Mask      *nn.Param      // [1, 1, d], MIM only
	Pos       *nn.Param      // [1, N+1, d], or nil
	rows      int            // of the grid of patches that Pos is for
	SharedRel *nn.RelPosBias // or nil
	Blocks    nn.Blocks
}

// initializers are the initial distributions of a model's parameters.
type initializers struct {
	linear nn.LinearInit
	embed  nn.LinearInit
	token  nn.Init // cls_token, mask_token, pos_embed
}

// Truncated normal distributions of initial weights, of standard deviation 0.02: truncated at ±2 (classifier, tokenizer) or at one
// standard deviation (MIM).
var (
	wideNormal   = nn.Normal(0.02, -2, 2)
	narrowNormal = nn.Normal(0.02, -0.02, 0.02)
)

// classifierInit returns the initializers of the authors' classifier and tokenizer. The patch embedding keeps PyTorch's default.
func classifierInit() initializers {
	return initializers{linear: wideNormal, embed: nn.LibraryDefault, token: nn.TruncNormal(0.02, -2, 2)}
}

// extras are the parameters that only some models have.
type extras struct {
	mask    bool // mask_token
	keyBias bool // one bias for queries, keys and values

	unscaled    bool // no block starts with smaller weights than the others
	decayTokens bool // weight decay applies to cls_token and pos_embed
}

// newBackbone declares the parameters of a backbone.
func newBackbone(s nn.Scope, c ViTConfig, init initializers, has extras) backbone {
	rows, cols := c.GridSize()
	b := backbone{CLS: s.Param("cls_token", init.token, 1, 1, c.Width), rows: rows}
	b.CLS.NoDecay = !has.decayTokens
	if has.mask {
		b.Mask = s.Param("mask_token", init.token, 1, 1, c.Width)
	}
	b.Embed = nn.NewPatchEmbed(s.Sub("patch_embed").Sub("proj"), c.Channels, c.PatchSize, c.Width, init.embed)
	if c.AbsPos {
		b.Pos = s.Param("pos_embed", init.token, 1, c.Tokens()+1, c.Width)
		b.Pos.NoDecay, b.Pos.Rows = !has.decayTokens, rows
	}
	if c.RelPos == RelPosShared {
		b.SharedRel = nn.NewRelPosBias(s.Sub("rel_pos_bias"), rows, cols, c.Heads)
	}
	for i := range c.Depth {
		block := c.Block(i, init.linear)
		block.KeyBias = has.keyBias
		if has.unscaled {
			block.Depth = 0
		}
		if c.RelPos == RelPosBlock {
			block.RelPosRows, block.RelPosCols = rows, cols
		}
		b.Blocks = append(b.Blocks, nn.NewBlock(s.Sub("blocks").Index(i), block))
	}
	return b
}

// Width is the width of a token.
func (b *backbone) Width() int { return b.CLS.Shape[2] }

// Block returns the configuration of block i = 0, 1, …
func (c ViTConfig) Block(i int, init nn.LinearInit) nn.BlockConfig {
	return nn.BlockConfig{
		Width: c.Width, Heads: c.Heads, Hidden: c.Hidden(), QKVBias: c.QKVBias, LayerScale: c.LayerScale, Eps: layerNormEps,
		DropPath: dropPath(c.DropPath, i, c.Depth), Depth: i + 1, Layer: uint64(i), Init: init,
	}
}

// ResidualMasked is Residual with the mask token in place of every patch whose element of mask is 1. mask is [B, N, 1], of zeros and
// ones, or nil.
func (b *backbone) ResidualMasked(c nn.Context, images *autograd.Var, mask *tensor.Tensor) *autograd.Var {
	p := b.Embed.Patch
	return b.assemble(c, b.Embed.Forward(c, images), mask, images.Shape()[2]/p, images.Shape()[3]/p)
}

// assemble adds the mask token, the class token and the positions to patch embeddings x [B, N, d] of a grid of rows x cols.
func (b *backbone) assemble(c nn.Context, x *autograd.Var, mask *tensor.Tensor, rows, cols int) *autograd.Var {
	if mask != nil {
		m := c.Tape.Constant(mask)
		x = autograd.Add(autograd.Mul(x, autograd.Affine(m, -1, 1)), autograd.Mul(m, b.Mask.Var(c.Tape)))
	}
	samples, d := x.Shape()[0], x.Shape()[2]
	x = autograd.Concat(1, autograd.Expand(b.CLS.Var(c.Tape), samples, 1, d), x)
	if b.Pos != nil {
		x = autograd.Add(x, ResizePositions(c, b.Pos.Var(c.Tape), b.rows, rows, cols))
	}
	return x
}

// shared returns the relative position bias that all blocks add to their attention logits, [H, N+1, N+1], or nil.
func (b *backbone) shared(c nn.Context) *autograd.Var {
	if b.SharedRel == nil {
		return nil
	}
	return b.SharedRel.Forward(c)
}

// Residual returns the residual stream before the first block, class token first, [B, N+1, d].
func (b *backbone) Residual(c nn.Context, images *autograd.Var) *autograd.Var {
	return b.ResidualMasked(c, images, nil)
}

// last returns the residual stream after the last block.
func (b *backbone) last(c nn.Context, images *autograd.Var) *autograd.Var {
	return b.Blocks.Forward(c, b.Residual(c, images), b.shared(c))
}

// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
func (b *backbone) AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var {
	x, shared := b.Residual(c, images), b.shared(c)
	var out []*autograd.Var
	for i := range b.Blocks {
		x = b.Blocks[i:i+1].Forward(c, x, shared)
		out = append(out, x)
	}
	return out
}

// BlockTokens returns the patch tokens after block n = 1, 2, …, [B, N, d].
func (b *backbone) BlockTokens(c nn.Context, images *autograd.Var, n int) *autograd.Var {
	return patches(b.Blocks[:n].Forward(c, b.Residual(c, images), b.shared(c)))
}

// patches returns the patch tokens, [B, N, d].
func patches(x *autograd.Var) *autograd.Var { return autograd.Slice(x, 1, 1, x.Shape()[1]) }

// cls returns the class token, [B, d].
func cls(x *autograd.Var) *autograd.Var {
	return autograd.Reshape(autograd.Slice(x, 1, 0, 1), x.Shape()[0], x.Shape()[2])
}

// frozen runs f in evaluation mode: without gradients and without stochastic depth, even during a training step of another model. It
// frees the intermediate values of f and returns the result.
func frozen(c nn.Context, f func(c nn.Context) *autograd.Var) *autograd.Var {
	c.Train = false
	return c.Tape.Scope(func() *autograd.Var { return f(c) })
}
