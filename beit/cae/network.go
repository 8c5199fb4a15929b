package cae

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// layerNormEps is the epsilon of every layer norm.
const layerNormEps = 1e-6

// latentWeight is the weight of the latent loss beside that of the codes, dual_loss_weight of the authors' code.
const latentWeight = 2

// NetworkConfig is the configuration of encoder, regressor and decoder.
type NetworkConfig struct {
	ViT    beit.ViTConfig `toml:"vit"` // only sizes, mlp_ratio, layer_scale and drop_path are used; Shape sets the others
	Neck   NeckConfig     `toml:"neck"`
	Vocab  int            `toml:"vocab" help:"outputs of the head: codes; a run takes the target's"`
	Glorot bool           `toml:"glorot" help:"initial weights are uniform after Glorot and Bengio, as of the authors' base model; else as BEiT's, as of their large one"`
}

// NeckConfig is the configuration of regressor and decoder, which the authors call neck. Their MLPs are as wide as their tokens times the encoder's
// mlp_ratio, and stochastic depth rises in each to the encoder's drop_path.
type NeckConfig struct {
	Width          int     `toml:"width" range:"[1,)" help:"of a token in regressor and decoder; a multiple of 4"`
	Heads          int     `toml:"heads" range:"[1,)" help:"of their attention; divides their width"`
	RegressorDepth int     `toml:"regressor_depth" range:"[1,)" help:"number of the regressor's blocks"`
	DecoderDepth   int     `toml:"decoder_depth" range:"[1,)" help:"number of the decoder's blocks"`
	LayerScale     float64 `toml:"layer_scale" help:"initial value of their LayerScale; 0 or less: none"`
}

// Shape returns c as all encoders of CAE are: fixed positions, biases of queries and values, no head.
func Shape(c beit.ViTConfig) beit.ViTConfig {
	c.RelPos, c.AbsPos, c.QKVBias, c.MeanPool, c.Classes, c.InitScale = beit.RelPosNone, true, true, false, 0, 0
	return c
}

// ViTConfig describes the encoder.
func (c *NetworkConfig) ViTConfig() beit.ViTConfig { return c.ViT }

// Check returns an error that names the wrong keys, or nil.
func (c NetworkConfig) Check() error {
	err := c.ViT.Check()
	must := func(right bool, format string, args ...any) {
		if !right {
			err = errors.Join(err, fmt.Errorf(format, args...))
		}
	}
	n := c.Neck
	must(c.ViT.Width%4 == 0, "vit.width = %d: must be a multiple of 4, for the fixed positions", c.ViT.Width)
	must(n.Width >= 1 && n.Width%4 == 0, "neck.width = %d: must be a multiple of 4, for the fixed positions", n.Width)
	must(n.Heads >= 1 && n.Width%max(n.Heads, 1) == 0, "neck.heads = %d: must divide neck.width = %d", n.Heads, n.Width)
	must(n.RegressorDepth >= 1, "neck.regressor_depth = %d: must be at least 1", n.RegressorDepth)
	must(n.DecoderDepth >= 1, "neck.decoder_depth = %d: must be at least 1", n.DecoderDepth)
	must(c.Vocab >= 1, "vocab = %d: must be at least 1", c.Vocab)
	return err
}

// neck is a stack of the neck as a vision transformer of so many blocks.
func (c NetworkConfig) neck(depth int) beit.ViTConfig {
	v := c.ViT
	v.Width, v.Heads, v.LayerScale, v.Depth = c.Neck.Width, c.Neck.Heads, c.Neck.LayerScale, depth
	return v
}

// pixels is the number of values of a patch.
func (c NetworkConfig) pixels() int { return c.ViT.PatchSize * c.ViT.PatchSize * c.ViT.Channels }

// Names of the parts of a file.
const (
	prefixEncoder = "encoder."
	prefixTeacher = "teacher."
	prefixNeck    = "pretext_neck."
	nameHead      = prefixNeck + "head.weight"
	nameWiden     = "encoder_to_decoder"
)

// Network is a context autoencoder (arXiv 2202.03026). As a beit.Encoder, and for attention, it is the encoder with all patches.
type Network struct {
	*beit.ViT // "encoder": blocks as BEiT's, a final norm
	Config    NetworkConfig

	Widen       *nn.Linear    // "encoder_to_decoder", from the encoder's width to the neck's; nil where they are equal
	WidenNorm   *nn.LayerNorm // "encoder_to_decoder_norm", or nil
	MaskToken   *nn.Param     // "mask_token" [1, 1, dn]
	Regressor   []*RegressorBlock
	LatentNorm  *nn.LayerNorm // "pretext_neck.norm", after the regressor
	Decoder     nn.Blocks     // "pretext_neck.decoder_blocks"
	DecoderNorm *nn.LayerNorm // "pretext_neck.norm2"
	Head        *nn.Linear    // "pretext_neck.head"

	positions []float32 // of the neck's width; nil where that is the encoder's
}

var (
	_ beit.Encoder  = (*Network)(nil)
	_ beit.Attender = (*Network)(nil)
)

// NewNetwork declares the parameters under the names of the authors' modeling_cae.py, without the encoder's copy: NewTeacher declares that. The encoder's
// positions are a buffer. The config must pass Check.
func NewNetwork(s nn.Scope, c NetworkConfig) *Network {
	c.ViT = Shape(c.ViT)
	n, d := c.Neck, c.ViT.Width
	m := &Network{ViT: newEncoder(s.Sub("encoder"), c), Config: c}
	m.CLS.NoDecay = false // only biases and norms are exempt there
	if n.Width != d {
		m.Widen = nn.NewLinear(s.Sub(nameWiden), d, n.Width, narrow)
		m.WidenNorm = nn.NewLayerNorm(s.Sub(nameWiden+"_norm"), n.Width, layerNormEps)
		m.positions = Positions(n.Width, c.ViT.Grid())
	}
	m.MaskToken = s.Param("mask_token", token, 1, 1, n.Width)
	neck, layer := s.Sub("pretext_neck"), uint64(2*c.ViT.Depth) // after those of encoder and teacher
	for i := range n.RegressorDepth {
		block := c.neck(n.RegressorDepth).Block(i, narrow)
		block.Layer += layer
		m.Regressor = append(m.Regressor, newRegressorBlock(neck.Sub("regressor_blocks").Index(i), block))
	}
	for i := range n.DecoderDepth {
		block := c.neck(n.DecoderDepth).Block(i, narrow)
		block.Layer += layer + uint64(n.RegressorDepth)
		m.Decoder = append(m.Decoder, nn.NewBlock(neck.Sub("decoder_blocks").Index(i), block))
	}
	m.LatentNorm = nn.NewLayerNorm(neck.Sub("norm"), n.Width, layerNormEps)
	m.DecoderNorm = nn.NewLayerNorm(neck.Sub("norm2"), n.Width, layerNormEps)
	m.Head = nn.NewLinear(neck.Sub("head"), n.Width, c.Vocab, narrow)
	m.initialize()
	return m
}

// NewTeacher declares a copy of the encoder, of buffers under "teacher", which gives the target latents. Its stochastic depth is its own.
func NewTeacher(s nn.Scope, c NetworkConfig) *beit.ViT {
	v := newEncoder(s.Sub("teacher").Frozen(), c)
	for _, b := range v.Blocks {
		b.Layer += uint64(c.ViT.Depth)
	}
	return v
}

// newEncoder declares an encoder whose positions are fixed.
func newEncoder(s nn.Scope, c NetworkConfig) *beit.ViT {
	v := beit.NewViT(s, Shape(c.ViT))
	v.Pos.Buffer = true
	v.Pos.SetInit(nn.Values(Positions(c.ViT.Width, c.ViT.Grid())))
	return v
}

// Result is the result of a forward pass of B images with M masked patches each. Its Vars may be read until the tape's Reset.
type Result struct {
	Loss      *autograd.Var  // Codes + Latents
	Codes     *autograd.Var  // loss of the masked patches' labels, one element
	Latents   *autograd.Var  // twice the mean square of Predicted - Target, one element
	Visible   *autograd.Var  // the encoder's output: class token, then visible patches in the image's order, [B, 1+V, d]
	Predicted *autograd.Var  // latents of masked patches that the regressor predicts, [B, M, dn]
	Target    *autograd.Var  // what the encoder's copy makes of the masked patches, [B, M, dn], without gradients
	Logits    *autograd.Var  // predictions of the masked patches, one image after another, [B·M, Vocab]
	Rows      *tensor.Tensor // Int32 [B·M]: the masked patches among all B·N
}

// Forward predicts latents and labels of the masked patches of normalised images [B, C, S, S]. teacher is the encoder's copy. It panics where k is for
// other images.
func (m *Network) Forward(c nn.Context, teacher *beit.ViT, images *autograd.Var, k Masks, labels beit.Labels) Result {
	if k.Images() != images.Shape()[0] || k.Patches != m.Config.ViT.Tokens() {
		panic(fmt.Sprintf("cae: Forward: masks of %d images of %d patches for images %v of a network of %d patches",
			k.Images(), k.Patches, images.Shape(), m.Config.ViT.Tokens()))
	}
	r := Result{Rows: k.rows(c.Tape)}
	r.Target = c.Tape.Scope(func() *autograd.Var { return m.widen(c, patches(encode(c, teacher, images, k.masked))) })
	r.Visible = encode(c, m.ViT, images, k.visible).Keep()
	places := m.places(c)
	masked := k.positions(places, k.masked)
	r.Predicted = m.regress(c, m.widen(c, patches(r.Visible)), k.positions(places, k.visible), masked).Keep()
	r.Logits = m.decode(c, r.Predicted, masked).Keep()
	r.Codes = labels.Loss(r.Logits, r.Rows).Keep()
	r.Latents = autograd.Affine(autograd.MeanSquare(r.Predicted, r.Target), latentWeight, 0).Keep()
	r.Loss = autograd.Add(r.Codes, r.Latents).Keep()
	return r
}

// encode returns class token and some patches after the final norm of v, [B, 1+K, d]. The others are not seen.
func encode(c nn.Context, v *beit.ViT, images *autograd.Var, some []int32) *autograd.Var {
	return v.Norm.Forward(c, v.Blocks.Forward(c, v.ResidualOf(c, images, some), nil))
}

// patches are tokens without the class token.
func patches(x *autograd.Var) *autograd.Var { return autograd.Slice(x, 1, 1, x.Shape()[1]) }

// widen brings tokens of the encoder to the width of the neck.
func (m *Network) widen(c nn.Context, x *autograd.Var) *autograd.Var {
	if m.Widen == nil {
		return x
	}
	return m.WidenNorm.Forward(c, m.Widen.Forward(c, x, autograd.LinearOptions{}))
}

// places is the table of positions of the neck's width, [1+N, dn].
func (m *Network) places(c nn.Context) *autograd.Var {
	if m.positions == nil {
		return autograd.Reshape(m.Pos.Var(c.Tape), -1, m.Config.Neck.Width)
	}
	return c.Tape.Own(tensor.FromSlice(c.Tape.Device(), m.positions, len(m.positions)/m.Config.Neck.Width, m.Config.Neck.Width))
}

// regress predicts the latents of masked patches [B, M, dn] from those of the visible ones [B, V, dn], at their positions.
func (m *Network) regress(c nn.Context, visible, at, masked *autograd.Var) *autograd.Var {
	shape := masked.Shape()
	x := autograd.Expand(m.MaskToken.Var(c.Tape), shape[0], shape[1], shape[2])
	x = regress(c, m.Regressor, x, surroundings{visible: visible, masked: masked, places: autograd.Concat(1, at, masked)})
	return m.LatentNorm.Forward(c, x)
}

// decode predicts labels [B·M, Vocab] of predicted latents [B, M, dn] at their positions.
func (m *Network) decode(c nn.Context, latents, masked *autograd.Var) *autograd.Var {
	x := m.Decoder.Forward(c, autograd.Add(latents, masked), nil)
	x = autograd.Reshape(m.DecoderNorm.Forward(c, x), -1, m.Config.Neck.Width)
	return m.Head.Forward(c, x, autograd.LinearOptions{})
}
