package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// Attender is a network whose attention weights can be looked at: every vision transformer of this package, and of a VQKD its Encoder.
type Attender interface {
	// Depth is the number of blocks.
	Depth() int
	// AttentionMaps returns the attention weights of block n = 1 … Depth, [B, H, N+1, N+1], of normalised images [B, 3, S, S]. A row belongs
	// to a query and sums to 1, a column to a key. Row and column 0 are the class token's. It panics for another n.
	AttentionMaps(c nn.Context, images *autograd.Var, n int) *autograd.Var
}

// Depth is the number of blocks.
func (b *backbone) Depth() int { return len(b.Blocks) }

// AttentionMaps implements Attender.
func (b *backbone) AttentionMaps(c nn.Context, images *autograd.Var, n int) *autograd.Var {
	return attentionOf(c, b.Blocks, b.Residual(c, images), b.shared(c), n)
}

// Depth is the number of blocks.
func (m *CLIP) Depth() int { return len(m.Blocks) }

// AttentionMaps implements Attender.
func (m *CLIP) AttentionMaps(c nn.Context, images *autograd.Var, n int) *autograd.Var {
	return attentionOf(c, m.Blocks, m.Residual(c, images), nil, n)
}

// Depth is the number of blocks.
func (m *CLIPClassifier) Depth() int { return m.tower.Depth() }

// AttentionMaps implements Attender.
func (m *CLIPClassifier) AttentionMaps(c nn.Context, images *autograd.Var, n int) *autograd.Var {
	return m.tower.AttentionMaps(c, images, n)
}

// attentionOf returns the attention weights of block n, from 1, for the residual stream x [B, N+1, d] before the first block. shared is the
// relative position bias [H, N+1, N+1] of all blocks, or nil.
func attentionOf(c nn.Context, blocks nn.Blocks, x, shared *autograd.Var, n int) *autograd.Var {
	if n < 1 || n > len(blocks) {
		panic(fmt.Sprintf("beit: AttentionMaps: block %d: the network has blocks 1 … %d", n, len(blocks)))
	}
	block := blocks[n-1]
	return block.Attn.Weights(c, block.Norm1.Forward(c, blocks[:n-1].Forward(c, x, shared)), shared)
}
