package beit

import (
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// DINO is the vision transformer of DINO (arXiv 2104.14294). It has absolute positions, a bias on queries, keys and values, no LayerScale
// and a final norm. For images of another size than the config's, positions are interpolated.
type DINO struct {
	backbone
	Config ViTConfig
	Norm   *nn.LayerNorm // "norm"
}

// NewDINO declares the model's parameters under the names of the published file dino_vitbase16_pretrain.pth. The config must pass Check.
// InferDINO returns the config of such a file, DINOShape one for training.
func NewDINO(s nn.Scope, c ViTConfig) *DINO {
	init := classifierInit()
	init.embed = wideNormal
	return &DINO{
		Config: c, backbone: newBackbone(s, c, init, extras{keyBias: true}), Norm: nn.NewLayerNorm(s.Sub("norm"), c.Width, layerNormEps),
	}
}

// DINOShape returns c with what all DINO models have in common: absolute positions, biases, no LayerScale, no head.
func DINOShape(c ViTConfig) ViTConfig {
	c.LayerScale, c.RelPos, c.AbsPos, c.QKVBias, c.MeanPool, c.Classes, c.InitScale = 0, RelPosNone, true, true, false, 0, 0
	return c
}

// AllTokens returns the class token and the patch tokens after the final norm, [B, N+1, d], of normalised images.
func (m *DINO) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.Norm.Forward(c, m.last(c, images))
}

// PatchTokens returns the patch tokens after the final norm, [B, N, d].
func (m *DINO) PatchTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return patches(m.AllTokens(c, images))
}

// ClassToken returns the class token after the final norm, [B, d].
func (m *DINO) ClassToken(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.Norm.Forward(c, cls(m.last(c, images)))
}

// Features returns the class token and the mean of the patch tokens after the final norm, [B, d] each.
func (m *DINO) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return Pool(m.AllTokens(c, images))
}

// InferDINO returns the configuration that shapes of parameters, by name, imply. Shapes do not tell the number of heads. It is width/64,
// as in the published models, or 0 if the width is no multiple of 64. Call Check on the result.
func InferDINO(shapes map[string][]int) (ViTConfig, error) {
	s := shapeReader{shapes: shapes}
	patch := s.patch("patch_embed.proj.weight")
	pos := s.get("pos_embed", 3)
	fc1 := s.get("blocks.0.mlp.fc1.weight", 2)
	if s.err != nil {
		return ViTConfig{}, fmt.Errorf("not a DINO model: %w", s.err)
	}
	c := DINOShape(ViTConfig{
		PatchSize: patch[3], Channels: patch[1], Width: patch[0], Depth: s.count("blocks."), MLPRatio: MLPRatio(fc1[0], patch[0]),
		ImageSize: side(pos[1]-1) * patch[3],
	})
	c.Heads = headsOf(c.Width)
	c.QKVBias = shapes["blocks.0.attn.qkv.bias"] != nil
	return c, nil
}
