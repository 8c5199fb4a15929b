package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// ViT is the vision transformer of fine-tuning, and encoder and decoder of the tokenizer.
type ViT struct {
	backbone
	Config ViTConfig
	Norm   *nn.LayerNorm // "norm" for all tokens, with CLS pooling
	FCNorm *nn.LayerNorm // "fc_norm" for the mean of the patches, with mean pooling
	Head   *nn.Linear    // "head", nil without classes
}

// NewViT declares the model's parameters under the names of the authors' beit2/modeling_finetune.py. The config must pass Check.
func NewViT(s nn.Scope, c ViTConfig) *ViT {
	v := &ViT{Config: c, backbone: newBackbone(s, c, classifierStarts(), extras{})}
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

// normed applies the model's last norm.
func (v *ViT) normed(c nn.Context, x *autograd.Var) *autograd.Var {
	if v.FCNorm != nil {
		return v.FCNorm.Forward(c, x)
	}
	return v.Norm.Forward(c, x)
}

// Pooled returns what the classifier head sees, [B, d]: the normed mean of the patch tokens, or the normed class token.
func (v *ViT) Pooled(c nn.Context, images *autograd.Var) *autograd.Var {
	x := v.last(c, images)
	if v.Config.MeanPool {
		return v.normed(c, autograd.Mean(patches(x), 1))
	}
	return v.normed(c, cls(x))
}

// Logits returns the scores of the classes, [B, Classes]. The model must have a head.
func (v *ViT) Logits(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.Head.Forward(c, v.Pooled(c, images), autograd.LinearOptions{})
}

// AllTokens returns the normed class token and patch tokens, [B, N+1, d].
func (v *ViT) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.normed(c, v.last(c, images))
}

// Features returns the class token and the mean of the patch tokens of AllTokens, [B, d] each.
func (v *ViT) Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var) {
	return Pool(v.AllTokens(c, images))
}

// PatchTokens returns the normed patch tokens, [B, N, d].
func (v *ViT) PatchTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return v.normed(c, patches(v.last(c, images)))
}

// DecodeTokens is PatchTokens for patches that are flat already, [B, N, C·P·P].
func (v *ViT) DecodeTokens(c nn.Context, x *autograd.Var) *autograd.Var {
	x = v.assemble(c, v.Embed.Tokens(c, x), nil, v.Config.Grid(), v.Config.Grid())
	return v.normed(c, patches(v.Blocks.Forward(c, x, v.shared(c))))
}
