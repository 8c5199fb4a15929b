package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// ViT is the vision transformer for fine-tuning, and the encoder and decoder of the tokenizer.
type ViT struct {
	backbone
	Config ViTConfig
	Norm   *nn.LayerNorm // "norm" of all tokens, without MeanPool
	FCNorm *nn.LayerNorm // "fc_norm" of the mean of the patch tokens, with MeanPool
	Head   *nn.Linear    // "head", nil without classes
}

// NewViT declares the model's parameters under the names of the authors' beit2/modeling_finetune.py. The config must pass Check.
func NewViT(s nn.Scope, c ViTConfig) *ViT {
	v := &ViT{Config: c, backbone: newBackbone(s, c, classifierInit(), extras{})}
	if c.MeanPool {
		v.FCNorm = nn.NewLayerNorm(s.Sub("fc_norm"), c.Width, layerNormEps)
	} else {
		v.Norm = nn.NewLayerNorm(s.Sub("norm"), c.Width, layerNormEps)
	}
	if c.Classes > 0 {
		v.Head = newHead(s, c)
	}
	return v
}

// normed applies the final norm.
func (v *ViT) normed(c nn.Context, x *autograd.Var) *autograd.Var {
	if v.FCNorm != nil {
		return v.FCNorm.Forward(c, x)
	}
	return v.Norm.Forward(c, x)
}

// Pooled returns the input of the classification head, [B, d]: the mean of the patch tokens or the class token, after the norm.
func (v *ViT) Pooled(c nn.Context, images *autograd.Var) *autograd.Var {
	x := v.last(c, images)
	if v.Config.MeanPool {
		return v.normed(c, autograd.Mean(patches(x), 1))
	}
	return v.normed(c, cls(x))
}

// Logits returns the logits, [B, Classes]. The model must have a head.
func (v *ViT) Logits(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.Head.Forward(c, v.Pooled(c, images), autograd.LinearOptions{})
}

// AllTokens returns the class token and the patch tokens after the final norm, [B, N+1, d].
func (v *ViT) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.normed(c, v.last(c, images))
}

// Features returns the class token and the mean of the patch tokens after the final norm, [B, d] each.
func (v *ViT) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return Pool(v.AllTokens(c, images))
}

// PatchTokens returns the patch tokens after the final norm, [B, N, d].
func (v *ViT) PatchTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.normed(c, patches(v.last(c, images)))
}

// DecodeTokens is PatchTokens for flattened patches, [B, N, C·P·P].
func (v *ViT) DecodeTokens(c nn.Context, x *autograd.Var) *autograd.Var {
	rows, cols := v.Config.GridSize()
	x = v.assemble(c, v.Embed.Tokens(c, x), nil, rows, cols)
	return v.normed(c, patches(v.Blocks.Forward(c, x, v.shared(c))))
}
