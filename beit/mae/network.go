package mae

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

// NetworkConfig is the configuration of encoder and decoder.
type NetworkConfig struct {
	ViT     beit.ViTConfig `toml:"vit"` // only sizes, mlp_ratio and drop_path are used; Shape sets the others
	Decoder DecoderConfig  `toml:"decoder"`
}

// DecoderConfig is the configuration of the decoder, whose MLPs are as wide as its tokens times the encoder's mlp_ratio.
type DecoderConfig struct {
	Width int `toml:"width" range:"[1,)" help:"of a token in the decoder; a multiple of 4"`
	Depth int `toml:"depth" range:"[1,)" help:"number of the decoder's transformer blocks"`
	Heads int `toml:"heads" range:"[1,)" help:"of the decoder's attention; divides its width"`
}

// Shape returns c as all encoders of MAE are: fixed positions, biases of queries, keys and values, no LayerScale, no head.
func Shape(c beit.ViTConfig) beit.ViTConfig { return beit.DINOShape(c) }

// ViTConfig describes the encoder.
func (c *NetworkConfig) ViTConfig() beit.ViTConfig { return c.ViT }

// Check returns an error that names the wrong keys, or nil.
func (c NetworkConfig) Check() error {
	err := c.ViT.Check()
	if c.ViT.Width%4 != 0 {
		err = errors.Join(err, fmt.Errorf("vit.width = %d: must be a multiple of 4, for the fixed positions", c.ViT.Width))
	}
	d := c.Decoder
	if d.Width < 1 || d.Width%4 != 0 {
		err = errors.Join(err, fmt.Errorf("decoder.width = %d: must be a multiple of 4, for the fixed positions", d.Width))
	}
	if d.Depth < 1 {
		err = errors.Join(err, fmt.Errorf("decoder.depth = %d: must be at least 1", d.Depth))
	}
	if d.Heads < 1 || d.Width%d.Heads != 0 {
		err = errors.Join(err, fmt.Errorf("decoder.heads = %d: must divide decoder.width = %d", d.Heads, d.Width))
	}
	return err
}

// DecoderViT is the decoder as a vision transformer, whose blocks are declared and counted.
func (c NetworkConfig) DecoderViT() beit.ViTConfig {
	v := c.ViT
	v.Width, v.Depth, v.Heads, v.DropPath = c.Decoder.Width, c.Decoder.Depth, c.Decoder.Heads, 0
	return v
}

// pixels is the number of values of a patch.
func (c NetworkConfig) pixels() int { return c.ViT.PatchSize * c.ViT.PatchSize * c.ViT.Channels }

// Body is the encoder and the decoder of a masked autoencoder (arXiv 2111.06377), without what predicts. The encoder sees the visible patches alone.
// A small decoder gets its tokens, and mask tokens for all other patches. As a beit.Encoder, and for attention, it is the encoder with all patches.
type Body struct {
	*beit.DINO // the encoder: blocks with a bias of queries, keys and values, and a final norm
	Config     NetworkConfig

	DecoderEmbed  *nn.Linear // "decoder_embed"
	MaskToken     *nn.Param  // "mask_token" [1, 1, dd]
	DecoderPos    *nn.Param  // "decoder_pos_embed" [1, N+1, dd], a buffer
	DecoderBlocks nn.Blocks  // "decoder_blocks"
	DecoderNorm   *nn.LayerNorm
}

// Network is a masked autoencoder: it predicts pixels.
type Network struct {
	*Body
	Predictor *nn.Linear // "decoder_pred": pixels of a patch, ordered by row, column and channel
}

var (
	_ beit.Encoder  = (*Network)(nil)
	_ beit.Attender = (*Network)(nil)
)

// NewNetwork declares the parameters under the names of the authors' models_mae.py. The config must pass Check.
func NewNetwork(s nn.Scope, c NetworkConfig) *Network {
	m := &Network{Body: NewBody(s, c)}
	m.Predictor = m.NewHead(s.Sub("decoder_pred"), c.pixels())
	return m
}

// NewBody declares the parameters of encoder and decoder under the names of the authors' models_mae.py. The position tables are buffers. The config
// must pass Check. Weights of linear layers and of the patch embedding begin as there: uniform after Glorot and Bengio.
func NewBody(s nn.Scope, c NetworkConfig) *Body {
	c.ViT = Shape(c.ViT)
	n, d := c.ViT.Tokens(), c.DecoderViT()
	m := &Body{DINO: beit.NewDINO(s, c.ViT), Config: c}
	m.CLS.NoDecay = false // only biases and norms are exempt there
	m.Pos.Buffer = true
	m.Pos.SetInit(nn.Values(Positions(c.ViT.Width, c.ViT.Grid())))
	token := nn.TruncNormal(0.02, -2, 2)
	m.CLS.SetInit(token)

	m.DecoderEmbed = nn.NewLinear(s.Sub("decoder_embed"), c.ViT.Width, d.Width, zeroBias)
	m.MaskToken = s.Param("mask_token", token, 1, 1, d.Width)
	m.DecoderPos = s.Buffer("decoder_pos_embed", nn.Values(Positions(d.Width, d.Grid())), 1, n+1, d.Width)
	for i := range d.Depth {
		m.DecoderBlocks = append(m.DecoderBlocks, nn.NewBlock(s.Sub("decoder_blocks").Index(i), nn.BlockConfig{
			Width: d.Width, Heads: d.Heads, Hidden: d.Hidden(), QKVBias: true, KeyBias: true, Eps: layerNormEps, Depth: i + 1,
			Layer: uint64(c.ViT.Depth + i), Init: zeroBias,
		}))
	}
	m.DecoderNorm = nn.NewLayerNorm(s.Sub("decoder_norm"), d.Width, layerNormEps)
	m.glorot()
	return m
}

// NewHead declares a layer that predicts so many numbers from a token of the decoder.
func (m *Body) NewHead(s nn.Scope, outputs int) *nn.Linear {
	head := nn.NewLinear(s, m.Config.Decoder.Width, outputs, zeroBias)
	glorot(head.W)
	return head
}

// zeroBias is nn.LibraryDefault without biases; glorot sets the weights.
func zeroBias(fanIn int) (weight, bias nn.Init) { return nn.FanIn(fanIn), nn.Zeros }

// glorot gives weights their initial distribution.
func (m *Body) glorot() {
	list := []*nn.Param{m.Embed.W, m.DecoderEmbed.W}
	for _, b := range append(m.Blocks[:len(m.Blocks):len(m.Blocks)], m.DecoderBlocks...) {
		list = append(list, b.Attn.QKV, b.Attn.Proj.W, b.MLP.FC1.W, b.MLP.FC2.W)
	}
	glorot(list...)
	m.Embed.B.SetInit(nn.FanIn(m.Config.pixels())) // a convolution there, which keeps the library's default
}

func glorot(list ...*nn.Param) {
	for _, p := range list {
		out, in := p.Shape[0], p.Shape[1:].Size() // of the patch embedding: all pixels of a patch
		p.SetInit(nn.GlorotUniform(in, out))
	}
}

// Result is the result of a forward pass. Its Vars may be read until the tape's Reset.
type Result struct {
	Loss   *autograd.Var // one element
	Latent *autograd.Var // class token and visible patches [B, K+1, d] after the encoder's norm, in the order of Masks.Order
	Pixels *autograd.Var // predictions of all patches [B, N, P·P·C], values of a patch ordered by row, column and channel
}

// Forward rebuilds normalised images [B, C, S, S] from their visible patches. The loss is the mean square of what is wrong with the masked patches,
// whose pixels are standardised patch by patch where normalise is true.
func (m *Network) Forward(c nn.Context, images *autograd.Var, k Masks, normalise bool) Result {
	r := Result{Latent: m.Encode(c, images, k).Keep()}
	r.Pixels = m.Decode(c, r.Latent, k).Keep()
	target := Target(images, m.Config.ViT.PatchSize, normalise)
	rows := k.Hidden(c.Tape)
	masked := func(x *autograd.Var) *autograd.Var {
		return autograd.GatherRows(autograd.Reshape(x, -1, m.Config.pixels()), rows)
	}
	r.Loss = autograd.MeanSquare(masked(r.Pixels), masked(target)).Keep()
	return r
}

// Encode returns class token and visible patches after the final norm, [B, K+1, d], of normalised images [B, C, S, S]. It panics where k is for
// other images.
func (m *Body) Encode(c nn.Context, images *autograd.Var, k Masks) *autograd.Var {
	shape, p := images.Shape(), m.Embed.Patch
	if n := m.Config.ViT.Tokens(); k.Images() != shape[0] || k.Patches != n || shape[2]/p*(shape[3]/p) != n {
		panic(fmt.Sprintf("mae: Encode: masks of %d images of %d patches for images %v of a network of %d patches",
			k.Images(), k.Patches, images.Shape(), m.Config.ViT.Tokens()))
	}
	return m.Norm.Forward(c, m.Blocks.Forward(c, m.ResidualOf(c, images, k.visible()), nil))
}

// Decode returns the pixels [B, N, P·P·C] that the decoder predicts of latent [B, K+1, d], a result of Encode for the same masks.
func (m *Network) Decode(c nn.Context, latent *autograd.Var, k Masks) *autograd.Var {
	return m.Predictor.Forward(c, m.DecodeTokens(c, latent, k), autograd.LinearOptions{})
}

// DecodeTokens returns the decoder's tokens of all patches after its norm, [B, N, dd], of latent [B, K+1, d], a result of Encode for the same masks.
func (m *Body) DecodeTokens(c nn.Context, latent *autograd.Var, k Masks) *autograd.Var {
	b, n, d := latent.Shape()[0], k.Patches, m.Config.Decoder.Width
	x := m.DecoderEmbed.Forward(c, latent, autograd.LinearOptions{})
	masked := autograd.Expand(m.MaskToken.Var(c.Tape), b, n-k.Keep, d)
	tokens := autograd.Concat(1, autograd.Slice(x, 1, 1, k.Keep+1), masked) // in the order of the masks
	back := k.restore(c.Tape)
	tokens = autograd.Reshape(autograd.GatherRows(autograd.Reshape(tokens, -1, d), back), b, n, d)
	x = autograd.Add(autograd.Concat(1, autograd.Slice(x, 1, 0, 1), tokens), m.DecoderPos.Var(c.Tape))
	x = m.DecoderNorm.Forward(c, m.DecoderBlocks.Forward(c, x, nil))
	return autograd.Slice(x, 1, 1, n+1)
}

// varianceEps is added to the variance of a patch's pixels.
const varianceEps = 1e-6

// Target returns the pixels of patches [B, N, P·P·C], values ordered by row, column and channel, of images [B, C, S, S] with patches of p x p pixels.
// With normalise each patch has mean 0 and variance 1; the variance is the unbiased one.
func Target(images *autograd.Var, p int, normalise bool) *autograd.Var {
	b, channels := images.Shape()[0], images.Shape()[1]
	x := autograd.Patchify(images, p)
	n, size := x.Shape()[1], x.Shape()[2]
	x = autograd.Permute(autograd.Reshape(x, b*n, channels, p*p), 0, 2, 1)
	x = autograd.Reshape(x, b, n, size)
	if !normalise {
		return x
	}
	x = autograd.Sub(x, autograd.Reshape(autograd.Mean(x, 2), b, n, 1))
	return autograd.Div(x, deviation(x))
}

// deviation is that of the values of patches, [B, N, 1], [B, N, D], whose mean is 0.
func deviation(x *autograd.Var) *autograd.Var {
	b, n, d := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	variance := autograd.Affine(autograd.Sum(autograd.Mul(x, x), 2), 1/float32(max(d-1, 1)), varianceEps)
	return autograd.Reshape(autograd.Sqrt(variance), b, n, 1)
}

// Images puts the pixels of patches [B, N, P·P·C], ordered by row, column and channel, back into images [B, C, S, S]. The caller releases the result.
func Images(pixels *tensor.Tensor, p, size int) *tensor.Tensor {
	b, n, values := pixels.Dim(0), pixels.Dim(1), pixels.Dim(2)
	turned := pixels.Reshape(b*n, p*p, values/(p*p)).Permute(0, 2, 1).Clone()
	defer turned.Release()
	return tensor.Unpatchify(turned.Reshape(b, n, values), p, size, size)
}
