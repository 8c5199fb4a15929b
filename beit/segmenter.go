package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// Segmenter is a vision transformer with a head that tells the class of every pixel.
//
// With the upernet head, patch tokens after four blocks become feature levels of four sizes, which the head joins (Xiao et al.,
// arXiv 1807.10221). The names of its parameters are those of the authors' beit2/semantic_segmentation and of mmsegmentation 0.11.
type Segmenter struct {
	backbone
	Config SegmenterConfig

	frozen bool // the backbone learns nothing
	taps   []int
	neck   *neck
	decode *uperHead
	aux    *convHead
	linear *linearHead
}

// NewSegmenter declares the network. The config must pass Check and have classes. The parameters of a frozen backbone are buffers.
func NewSegmenter(s nn.Scope, c SegmenterConfig, frozen bool) *Segmenter {
	taps := []int{c.ViT.Depth - 1}
	if c.Head == HeadUperNet {
		var err error
		if taps, err = c.TapBlocks(); err != nil {
			panic(fmt.Sprintf("beit: NewSegmenter: %v", err))
		}
	}
	m := &Segmenter{Config: c, frozen: frozen, taps: taps}
	under := s.Sub("backbone")
	if frozen {
		under = under.Frozen()
	}
	m.backbone = newBackbone(under, c.ViT, classifierInit(), extras{unscaled: true, decayTokens: true})
	if c.Head == HeadLinear {
		m.linear = newLinearHead(s.Sub("decode_head"), c.ViT.Width, c.Classes, c.Dropout)
		return m
	}
	m.neck = newNeck(s.Sub("backbone"), c.ViT.Width, c.strides())
	m.decode = newUperHead(s.Sub("decode_head"), c)
	if c.AuxChannels > 0 {
		m.aux = newConvHead(s.Sub("auxiliary_head"), c)
	}
	return m
}

// LayerID returns the layer of a parameter for layer-wise learning rate decay. Neck and heads have the last one, depth+1.
func (m *Segmenter) LayerID(name string) int {
	const prefix = "backbone."
	if len(name) > len(prefix) && name[:len(prefix)] == prefix {
		name = name[len(prefix):]
	}
	return LayerID(name, m.Config.ViT.Depth)
}

// Logits returns the logits of normalised images [B, C, S, S]: [B, Classes, h, w], where h is that of level 0, a quarter of S. With the linear
// head it is the grid of patches.
func (m *Segmenter) Logits(c nn.Context, images *autograd.Var) *autograd.Var {
	logits, _ := m.forward(c, images, false)
	return logits
}

// Forward returns the logits as Logits does, and those of the auxiliary head, [B, Classes, h, w] of level 2; nil without one.
func (m *Segmenter) Forward(c nn.Context, images *autograd.Var) (logits, aux *autograd.Var) {
	return m.forward(c, images, true)
}

func (m *Segmenter) forward(c nn.Context, images *autograd.Var, withAux bool) (logits, aux *autograd.Var) {
	return m.heads(c, m.Levels(c, images), withAux)
}

// Heads is the part of Forward from the feature levels on.
func (m *Segmenter) Heads(c nn.Context, list []*autograd.Var) (logits, aux *autograd.Var) {
	return m.heads(c, list, true)
}

func (m *Segmenter) heads(c nn.Context, list []*autograd.Var, withAux bool) (logits, aux *autograd.Var) {
	if m.linear != nil {
		return m.linear.forward(c, list[0]), nil
	}
	if withAux && m.aux != nil {
		aux = m.aux.forward(c, list[2])
	}
	return m.decode.forward(c, list), aux
}

// Levels returns the feature levels of images, [B, d, h, w] each, the finest first. With the linear head there is one: the last block's
// patch tokens.
func (m *Segmenter) Levels(c nn.Context, images *autograd.Var) []*autograd.Var {
	rows, cols := images.Shape()[2]/m.Embed.Patch, images.Shape()[3]/m.Embed.Patch
	var list []*autograd.Var
	for _, x := range m.tapped(c, images) {
		list = append(list, asMap(patches(x), rows, cols))
	}
	if m.neck == nil {
		return list
	}
	return m.neck.forward(c, list)
}

// tapped returns the residual streams [B, N+1, d] after the blocks of m.taps.
func (m *Segmenter) tapped(c nn.Context, images *autograd.Var) (list []*autograd.Var) {
	if m.frozen {
		c.Train = false
		c.Tape.NoGrad(func() { list = m.tappedAt(c, images) })
		return list
	}
	return m.tappedAt(c, images)
}

func (m *Segmenter) tappedAt(c nn.Context, images *autograd.Var) (list []*autograd.Var) {
	x, shared, done := m.Residual(c, images), m.shared(c), 0
	for _, tap := range m.taps {
		x = m.Blocks[done:tap+1].Forward(c, x, shared)
		done = tap + 1
		list = append(list, x)
	}
	return list
}

// asMap lays patch tokens [B, rows·cols, d] out as [B, d, rows, cols].
func asMap(x *autograd.Var, rows, cols int) *autograd.Var {
	b, d := x.Shape()[0], x.Shape()[2]
	return autograd.Reshape(autograd.Permute(x, 0, 2, 1), b, d, rows, cols)
}
