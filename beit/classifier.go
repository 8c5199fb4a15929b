package beit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// Classifier is a network that returns logits: a *ViT with a head, or a *CLIPClassifier.
type Classifier interface {
	// Logits returns the logits, [B, Classes], of normalised images [B, 3, S, S].
	Logits(c nn.Context, images *autograd.Var) *autograd.Var
	// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
	AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var
	// LayerID returns the layer of a parameter for layer-wise learning rate decay, from 0 to depth+1.
	LayerID(name string) int
}

// LayerID implements Classifier by the function LayerID.
func (v *ViT) LayerID(name string) int { return LayerID(name, v.Config.Depth) }

// CLIPClassifier is CLIP's image encoder with a linear classifier in place of its projection.
type CLIPClassifier struct {
	tower    *CLIP
	meanPool bool       // the head gets the mean of the patch tokens, else the class token
	Head     *nn.Linear // "head"
}

// NewCLIPClassifier declares CLIP's image encoder under the names of NewCLIP, initialised with zeros, and a head. Of c it uses the sizes,
// MeanPool, Classes, DropPath and InitScale. gelu is as in CLIPConfig.
func NewCLIPClassifier(s nn.Scope, c ViTConfig, gelu bool) *CLIPClassifier {
	m := &CLIPClassifier{meanPool: c.MeanPool, tower: newCLIPTower(s.Sub("visual"), CLIPConfig{
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: c.Heads, Hidden: c.Hidden(),
		DropPath: c.DropPath, GELU: gelu,
	})}
	m.Head = newHead(s, c)
	return m
}

// newHead declares the classification head of a ViT.
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
func (m *CLIPClassifier) AllBlocks(c nn.Context, images *autograd.Var) []*autograd.Var {
	return m.tower.AllBlocks(c, images)
}

// LayerID implements Classifier. Layer 0 has the class token, the positions, the patch embedding and the norm before the blocks.
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
