package beit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// Classifier scores classes: a *ViT with a head, or a *CLIPClassifier.
type Classifier interface {
	// Logits returns the scores of the classes, [B, Classes], of normalised images [B, 3, S, S].
	Logits(c nn.Context, images *autograd.Var) *autograd.Var
	// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
	AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
	// LayerID says to which layer a parameter belongs for layer-wise decay of the learning rate, from 0 to depth+1.
	LayerID(name string) int
}

// LayerID is the function LayerID for the model's depth.
func (v *ViT) LayerID(name string) int { return LayerID(name, v.Config.Depth) }

// CLIPClassifier is CLIP's image tower with a linear classifier in place of its projection.
type CLIPClassifier struct {
	tower    *CLIP
	meanPool bool       // the head sees the mean of the patch tokens, else the class token
	Head     *nn.Linear // "head"
}

// NewCLIPClassifier declares a tower, at 0, under the names that NewCLIP has, and a head. Of c it uses the sizes, MeanPool, Classes,
// DropPath and InitScale.
func NewCLIPClassifier(s nn.Scope, c ViTConfig) *CLIPClassifier {
	m := &CLIPClassifier{meanPool: c.MeanPool, tower: newCLIPTower(s.Sub("visual"), CLIPConfig{
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: c.Heads, Hidden: c.Hidden(),
		DropPath: c.DropPath,
	})}
	m.Head = newHead(s, c)
	return m
}

// newHead declares the classifier of c.
func newHead(s nn.Scope, c ViTConfig) *nn.Linear {
	init := wideNormal
	if c.InitScale > 0 {
		init = init.Scale(c.InitScale)
	}
	return nn.NewLinear(s.Sub("head"), c.Width, c.Classes, init)
}

// Logits implements Classifier.
func (m *CLIPClassifier) Logits(c nn.Context, images *autograd.Var) *autograd.Var {
	class, mean := Pool(m.tower.normed(c, images))
	if m.meanPool {
		class = mean
	}
	return m.Head.Forward(c, class, autograd.LinearOptions{})
}

// AllBlocks implements Classifier.
func (m *CLIPClassifier) AllBlocks(c nn.Context, images *autograd.Var) (out []*autograd.Var) {
	x := m.tower.Residual(c, images)
	for i := range m.tower.Blocks {
		x = m.tower.Blocks[i:i+1].Forward(c, x, nil)
		out = append(out, x)
	}
	return out
}

// LayerID implements Classifier: tokens, positions, patch embedding and the norm before the blocks belong to layer 0.
func (m *CLIPClassifier) LayerID(name string) int {
	rest, ok := strings.CutPrefix(name, "visual.")
	if !ok || strings.HasPrefix(rest, "ln_post.") {
		return m.tower.Config.Depth + 1
	}
	blocks, ok := strings.CutPrefix(rest, "transformer.resblocks.")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(blocks, ".")
	i, err := strconv.Atoi(number)
	if err != nil {
		panic(fmt.Sprintf("beit: LayerID: no parameter of this model: %s", name))
	}
	return i + 1
}

// InferBEiT reads a config off the shapes of a model's parameters by name, under the authors' names: of a classifier, or of a model for masked
// image modelling. Where no table of relative positions tells the number of heads, it is one for each 64 of the width, and 0 where the
// width is no multiple of 64; a file without positions does not tell the picture's size, which is then 0. Check what it returns.
func InferBEiT(shapes map[string][]int) (ViTConfig, error) {
	s := shapeReader{shapes: shapes}
	patch := s.patch("patch_embed.proj.weight")
	fc1 := s.get("blocks.0.mlp.fc1.weight", 2)
	if s.err != nil {
		return ViTConfig{}, fmt.Errorf("not a BEiT model: %w", s.err)
	}
	c := ViTConfig{
		PatchSize: patch[3], Channels: patch[1], Width: patch[0], Depth: s.count("blocks."), MLPRatio: MLPRatio(fc1[0], patch[0]),
		QKVBias: shapes["blocks.0.attn.q_bias"] != nil, AbsPos: shapes["pos_embed"] != nil, RelPos: RelPosNone,
		MeanPool: shapes["fc_norm.weight"] != nil, Heads: headsOf(patch[0]),
	}
	if shapes["blocks.0.gamma_1"] != nil {
		c.LayerScale = 0.1 // that there is one is what counts: its values are loaded
	}
	grid := 0
	if c.AbsPos {
		grid = side(s.get("pos_embed", 3)[1] - 1)
	}
	const block, shared = "blocks.0.attn.relative_position_bias_table", "rel_pos_bias.relative_position_bias_table"
	useTable := func(name string, place RelPos) {
		table := s.get(name, 2)
		c.RelPos, c.Heads, grid = place, table[1], (side(table[0]-3)+1)/2
	}
	switch {
	case shapes[block] != nil && shapes[shared] != nil:
		return ViTConfig{}, fmt.Errorf("not a BEiT model: there are both %s and %s", block, shared)
	case shapes[block] != nil:
		useTable(block, RelPosBlock)
	case shapes[shared] != nil:
		useTable(shared, RelPosShared)
	}
	if head := shapes["head.weight"]; len(head) == 2 {
		c.Classes = head[0]
	}
	c.ImageSize = grid * c.PatchSize
	return c, s.err
}
