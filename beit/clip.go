package beit

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
)

// CLIPConfig is the configuration of CLIP's image encoder.
type CLIPConfig struct {
	ImageSize, PatchSize, Channels int
	Width, Depth, Heads, Hidden    int // Hidden is the width inside the MLPs
	OutDim                         int // width of the joint embedding space of images and texts
	DropPath                       float64
	GELU                           bool // as in OpenCLIP's models, in place of QuickGELU
}

// Check returns an error that names what is wrong, or nil.
func (c CLIPConfig) Check() error {
	v := ViTConfig{
		ImageSize: c.ImageSize, PatchSize: c.PatchSize, Channels: c.Channels, Width: c.Width, Depth: c.Depth, Heads: c.Heads, MLPRatio: 1,
	}
	err := v.Check()
	if c.Hidden < 1 || c.OutDim < 1 {
		err = errors.Join(err, fmt.Errorf("hidden = %d, output width = %d: must be at least 1", c.Hidden, c.OutDim))
	}
	return err
}

// Activation is the name of the activation function, as Hugging Face has it.
func (c CLIPConfig) Activation() string {
	if c.GELU {
		return "gelu"
	}
	return "quick_gelu"
}

// CLIP is the image encoder of CLIP (arXiv 2103.00020), a ViT. Its patch embedding has no bias, a norm stands before the first block, and
// the activation is QuickGELU unless the config says otherwise. For images of another size than the config's, positions are interpolated.
type CLIP struct {
	Config CLIPConfig
	Embed  *nn.PatchEmbed
	CLS    *nn.Param // "class_embedding" [d]
	Pos    *nn.Param // "positional_embedding" [N+1, d]
	Pre    *nn.LayerNorm
	Blocks nn.Blocks
	Post   *nn.LayerNorm
	Proj   *nn.Param // [d, OutDim]
}

// clipEps is the epsilon of CLIP's layer norms, PyTorch's default.
const clipEps = 1e-5

// NewCLIP declares the model's parameters under the names of the published file ViT-B-16.pt, such as "visual.conv1.weight". They are
// initialised with zeros, to be loaded. The config must pass Check; InferCLIP returns the config of such a file.
func NewCLIP(s nn.Scope, c CLIPConfig) *CLIP {
	s = s.Sub("visual")
	m := newCLIPTower(s, c)
	m.Proj = s.Param("proj", nn.Zeros, c.Width, c.OutDim)
	return m
}

// newCLIPTower declares the image encoder without its projection.
func newCLIPTower(s nn.Scope, c CLIPConfig) *CLIP {
	d, n := c.Width, c.ImageSize/c.PatchSize
	m := &CLIP{
		Config: c,
		CLS:    s.Param("class_embedding", nn.Zeros, d),
		Pos:    s.Param("positional_embedding", nn.Zeros, n*n+1, d),
		Embed:  &nn.PatchEmbed{W: s.Sub("conv1").Param("weight", nn.Zeros, d, c.Channels, c.PatchSize, c.PatchSize), Patch: c.PatchSize},
		Pre:    nn.NewLayerNorm(s.Sub("ln_pre"), d, clipEps),
		Post:   nn.NewLayerNorm(s.Sub("ln_post"), d, clipEps),
	}
	m.Pos.NoDecay, m.Pos.Rows = true, n
	for i := range c.Depth {
		b := c.block(s.Sub("transformer").Sub("resblocks").Index(i))
		b.DropPath, b.Layer = dropPath(c.DropPath, i, c.Depth), uint64(i)
		m.Blocks = append(m.Blocks, b)
	}
	return m
}

// zeroInit initialises layers whose weights will be loaded.
func zeroInit(int) (weight, bias nn.Init) { return nn.Zeros, nn.Zeros }

// block declares one block under CLIP's names.
func (c CLIPConfig) block(s nn.Scope) *nn.Block {
	d, attn, mlp := c.Width, s.Sub("attn"), s.Sub("mlp")
	return &nn.Block{
		Norm1: nn.NewLayerNorm(s.Sub("ln_1"), d, clipEps),
		Attn: &nn.Attention{
			QKV: attn.Param("in_proj_weight", nn.Zeros, 3*d, d), QKVBias: attn.Param("in_proj_bias", nn.Zeros, 3*d),
			Proj: nn.NewLinear(attn.Sub("out_proj"), d, d, zeroInit), Heads: c.Heads,
		},
		Norm2: nn.NewLayerNorm(s.Sub("ln_2"), d, clipEps),
		MLP: &nn.MLP{
			FC1: nn.NewLinear(mlp.Sub("c_fc"), d, c.Hidden, zeroInit), FC2: nn.NewLinear(mlp.Sub("c_proj"), c.Hidden, d, zeroInit),
			QuickGELU: !c.GELU,
		},
	}
}

// Positions returns the position embedding of a grid of rows x cols, [1, rows·cols + 1, d].
func (m *CLIP) Positions(c nn.Context, rows, cols int) *autograd.Var {
	return ResizePositions(c, autograd.Reshape(m.Pos.Var(c.Tape), 1, m.Pos.Shape[0], m.Pos.Shape[1]), m.Pos.Rows, rows, cols)
}

// Residual returns the residual stream before the first block, class token first, [B, N+1, d], of normalised images.
func (m *CLIP) Residual(c nn.Context, images *autograd.Var) *autograd.Var {
	p, d := m.Embed.Patch, m.Config.Width
	x := m.Embed.Forward(c, images)
	class := autograd.Expand(autograd.Reshape(m.CLS.Var(c.Tape), 1, 1, d), x.Shape()[0], 1, d)
	x = autograd.Concat(1, class, x)
	return m.Pre.Forward(c, autograd.Add(x, m.Positions(c, images.Shape()[2]/p, images.Shape()[3]/p)))
}

// normed returns the class token and the patch tokens after the final norm, [B, N+1, d].
func (m *CLIP) normed(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.Post.Forward(c, m.Blocks.Forward(c, m.Residual(c, images), nil))
}

// AllBlocks returns the residual stream after each block, class token first, [B, N+1, d] each.
func (m *CLIP) AllBlocks(c nn.Context, images *autograd.Var) (out []*autograd.Var) {
	x := m.Residual(c, images)
	for i := range m.Blocks {
		x = m.Blocks[i:i+1].Forward(c, x, nil)
		out = append(out, x)
	}
	return out
}

// AllTokens returns the class token and the patch tokens after the projection, [B, N+1, OutDim]. CLIP itself uses the class token only.
// As a teacher it gives the patch tokens.
func (m *CLIP) AllTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return autograd.MatMul(m.normed(c, images), m.Proj.Var(c.Tape))
}

// PatchTokens returns the patch tokens after the projection, [B, N, OutDim].
func (m *CLIP) PatchTokens(c nn.Context, images *autograd.Var) *autograd.Var {
	return patches(m.AllTokens(c, images))
}

// InferCLIP returns the configuration that shapes of parameters, by name, imply. Shapes do not tell the number of heads. It is width/64,
// as in the published models, or 0 if the width is no multiple of 64. Call Check on the result.
func InferCLIP(shapes map[string][]int) (CLIPConfig, error) {
	s := shapeReader{shapes: shapes}
	conv := s.patch("visual.conv1.weight")
	pos := s.get("visual.positional_embedding", 2)
	fc := s.get("visual.transformer.resblocks.0.mlp.c_fc.weight", 2)
	proj := s.get("visual.proj", 2)
	if s.err != nil {
		return CLIPConfig{}, fmt.Errorf("not a CLIP model with a vision transformer: %w", s.err)
	}
	return CLIPConfig{
		ImageSize: side(pos[0]-1) * conv[3], PatchSize: conv[3], Channels: conv[1], Width: conv[0], Heads: headsOf(conv[0]),
		Depth: s.count("visual.transformer.resblocks."), Hidden: fc[0], OutDim: proj[1],
	}, nil
}
