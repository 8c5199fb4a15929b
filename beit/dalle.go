package beit

import (
	"errors"
	"fmt"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// DALLEConfig is the configuration of the encoder of DALL-E's discrete VAE (arXiv 2102.12092).
type DALLEConfig struct {
	Hidden int // width of the first group of blocks; each further one is twice as wide
	Blocks int // in a group
	Codes  int // V
}

// PublishedDALLE is the encoder that its authors published, whose codes BEiT v1 predicts.
var PublishedDALLE = DALLEConfig{Hidden: 256, Blocks: 2, Codes: 8192}

// Of the network, and of openai/DALL-E's dall_e/encoder.py and utils.py.
const (
	dalleGroups = 4   // of blocks
	dalleNarrow = 4   // a block is inside as many times narrower
	dalleEps    = 0.1 // pixels in [0, 1] become those in [dalleEps, 1-dalleEps]
)

// DALLEPatch is the number of pixels along a side for which there is one code: all groups but the last end with max pooling.
const DALLEPatch = 1 << (dalleGroups - 1)

// Most that shapes may imply, far above the published encoder.
const (
	maxDALLEHidden = 1 << 14
	maxDALLEBlocks = 1 << 8
	maxDALLECodes  = 1 << 24
)

// Check returns an error that names what is wrong, or nil.
func (c DALLEConfig) Check() error {
	var err error
	if c.Hidden < dalleNarrow || c.Hidden > maxDALLEHidden || c.Hidden%dalleNarrow != 0 {
		err = fmt.Errorf("hidden = %d: must be a multiple of %d up to %d", c.Hidden, dalleNarrow, maxDALLEHidden)
	}
	if c.Blocks < 1 || c.Blocks > maxDALLEBlocks {
		err = errors.Join(err, fmt.Errorf("blocks = %d: must be in 1 … %d", c.Blocks, maxDALLEBlocks))
	}
	if c.Codes < 1 || c.Codes > maxDALLECodes {
		err = errors.Join(err, fmt.Errorf("codes = %d: must be in 1 … %d", c.Codes, maxDALLECodes))
	}
	return err
}

// width is that of the blocks of a group.
func (c DALLEConfig) width(group int) int { return c.Hidden << group }

// Widest is the width of the last group, and Depth the number of all blocks.
func (c DALLEConfig) Widest() int { return c.width(dalleGroups - 1) }

// Depth is the other half of Widest.
func (c DALLEConfig) Depth() int { return dalleGroups * c.Blocks }

// DALLE is the encoder of DALL-E's discrete VAE, a residual network of convolutions. It gives a code for each 8 x 8 pixels.
type DALLE struct {
	Config DALLEConfig
	Input  *nn.Conv2D    // "blocks.input", 7 x 7
	Groups []*DALLEGroup // "blocks.group_1" …
	Output *nn.Conv2D    // "blocks.output.conv", 1 x 1
}

// DALLEGroup is a row of blocks of the same width.
type DALLEGroup struct {
	blocks []*dalleBlock
	pools  bool // max pooling follows the blocks
}

// dalleBlock is a residual block: x + r(x)·scale, where x passes a 1 x 1 convolution if its width changes.
type dalleBlock struct {
	identity *nn.Conv2D    // "id_path", nil for the identity
	residual [4]*nn.Conv2D // "res_path.conv_1" … "res_path.conv_4": ReLU and convolution four times
	scale    float32       // 1 over the square of the number of all blocks
}

// NewDALLE declares the parameters under the names of the authors' dall_e/encoder.py, such as "blocks.group_1.block_1.res_path.conv_1.w". Weights begin
// normal with variance 1/fanIn, biases at 0, as there. The config must pass Check; InferDALLE returns that of a file.
func NewDALLE(s nn.Scope, c DALLEConfig) *DALLE {
	s = s.Sub("blocks")
	m := &DALLE{Config: c, Input: dalleConv(s.Sub("input"), 3, c.Hidden, 7)}
	in := c.Hidden
	for g := range dalleGroups {
		group := &DALLEGroup{pools: g < dalleGroups-1}
		scope, out := s.Sub(fmt.Sprintf("group_%d", g+1)), c.width(g)
		for i := range c.Blocks {
			group.blocks = append(group.blocks, newDALLEBlock(scope.Sub(fmt.Sprintf("block_%d", i+1)), in, out, c.Depth()))
			in = out
		}
		m.Groups = append(m.Groups, group)
	}
	m.Output = dalleConv(s.Sub("output").Sub("conv"), in, c.Codes, 1)
	return m
}

// newDALLEBlock declares one of so many blocks.
func newDALLEBlock(s nn.Scope, in, out, all int) *dalleBlock {
	b := &dalleBlock{scale: 1 / float32(all*all)}
	if in != out {
		b.identity = dalleConv(s.Sub("id_path"), in, out, 1)
	}
	inside := out / dalleNarrow
	path := s.Sub("res_path")
	widths := [5]int{in, inside, inside, inside, out}
	for i := range b.residual {
		kernel := 3
		if i == len(b.residual)-1 {
			kernel = 1
		}
		b.residual[i] = dalleConv(path.Sub(fmt.Sprintf("conv_%d", i+1)), widths[i], widths[i+1], kernel)
	}
	return b
}

// dalleConv declares a convolution that keeps the size of a map.
func dalleConv(s nn.Scope, in, out, kernel int) *nn.Conv2D {
	pad := (kernel - 1) / 2
	normal := nn.TruncNormal(1/math.Sqrt(float64(in*kernel*kernel)), math.Inf(-1), math.Inf(1))
	return &nn.Conv2D{
		W: s.Param("w", normal, out, in, kernel, kernel), B: s.Param("b", nn.Zeros, out),
		Options: tensor.ConvOptions{Padding: [2]int{pad, pad}},
	}
}

func (b *dalleBlock) forward(c nn.Context, x *autograd.Var) *autograd.Var {
	r := x
	for _, conv := range b.residual {
		r = conv.Forward(c, autograd.ReLU(r))
	}
	if b.identity != nil {
		x = b.identity.Forward(c, x)
	}
	return autograd.Add(x, autograd.Affine(r, b.scale, 0))
}

// pool halves the sides of a map where the group does.
func (g *DALLEGroup) pool(x *autograd.Var) *autograd.Var {
	if !g.pools {
		return x
	}
	return autograd.MaxPool(x, tensor.SquareWindow(2, 2, 0))
}

// Forward maps x [B, in, H, W] to [B, out, H/2, W/2], or [B, out, H, W] for the last group.
func (g *DALLEGroup) Forward(c nn.Context, x *autograd.Var) *autograd.Var {
	for _, b := range g.blocks {
		x = b.forward(c, x)
	}
	return g.pool(x)
}

// MapPixels maps pixels in [0, 1] to the range that the network sees, [0.1, 0.9].
func (m *DALLE) MapPixels(images *autograd.Var) *autograd.Var {
	return autograd.Affine(images, 1-2*dalleEps, dalleEps)
}

// Logits maps images [B, 3, H, W], as MapPixels returns them, to [B, V, H/8, W/8]. It panics for sides that are no multiples of 8.
func (m *DALLE) Logits(c nn.Context, images *autograd.Var) *autograd.Var {
	m.checkSides("Logits", images.Shape())
	x := m.Input.Forward(c, images)
	for _, g := range m.Groups {
		x = g.Forward(c, x)
	}
	return m.head(c, x)
}

// head maps the output of the last group to logits, in float32 as the authors' does.
func (m *DALLE) head(c nn.Context, x *autograd.Var) *autograd.Var {
	return c.Exact(func() *autograd.Var { return m.Output.Forward(c, autograd.ReLU(x)) })
}

func (m *DALLE) checkSides(op string, shape tensor.Shape) {
	if len(shape) != 4 || shape[1] != 3 || shape[2]%DALLEPatch != 0 || shape[3]%DALLEPatch != 0 || shape.Size() == 0 {
		panic(fmt.Sprintf("beit: DALLE: %s: images of shape %v, want [B, 3, H, W] with sides that are multiples of %d", op, shape, DALLEPatch))
	}
}

// dalleImages is how many images go through the network together where only codes are wanted: maps are large, 3 million numbers an image of 112.
const dalleImages = 8

// Codes returns the codes of images [B, 3, H, W] in [0, 1], Int32 [B·H/8·W/8], row-major. It computes no gradients. The caller releases the result.
func (m *DALLE) Codes(c nn.Context, images *autograd.Var) *tensor.Tensor {
	m.checkSides("Codes", images.Shape())
	var parts []*tensor.Tensor
	for from, n := 0, images.Shape()[0]; from < n; from += dalleImages {
		parts = append(parts, m.codesOf(c, images, from, min(from+dalleImages, n)))
	}
	codes := tensor.Concat(0, parts...)
	for _, p := range parts {
		p.Release()
	}
	return codes.Reshape(-1)
}

// codesOf are the codes of images from … to-1, [to-from, H/8, W/8]. After each block only its output is kept.
func (m *DALLE) codesOf(c nn.Context, images *autograd.Var, from, to int) *tensor.Tensor {
	x := kept(c, func(c nn.Context) *autograd.Var {
		return m.Input.Forward(c, m.MapPixels(autograd.Slice(images, 0, from, to)))
	})
	next := func(f func(c nn.Context, x *autograd.Var) *autograd.Var) {
		before := x
		x = kept(c, func(c nn.Context) *autograd.Var { return f(c, c.Tape.Own(before)) })
	}
	for _, g := range m.Groups {
		for _, b := range g.blocks {
			next(b.forward)
		}
		next(func(_ nn.Context, x *autograd.Var) *autograd.Var { return g.pool(x) })
	}
	next(m.head)
	defer x.Release()
	return tensor.ArgMaxAlong(x, 1)
}

// kept is frozen with a result that the caller releases.
func kept(c nn.Context, f func(c nn.Context) *autograd.Var) (y *tensor.Tensor) {
	frozen(c, func(c nn.Context) *autograd.Var {
		y = f(c).Value()
		y.Retain()
		return nil
	})
	return y
}

// InferDALLE returns the configuration that shapes of parameters, by name, imply. Call Check on the result.
func InferDALLE(shapes map[string][]int) (DALLEConfig, error) {
	s := shapeReader{shapes: shapes}
	input, output := s.get("blocks.input.w", 4), s.get("blocks.output.conv.w", 4)
	if s.err != nil {
		return DALLEConfig{}, fmt.Errorf("not DALL-E's encoder: %w", s.err)
	}
	return DALLEConfig{Hidden: input[0], Blocks: s.count("blocks.group_1."), Codes: output[0]}, nil
}

// FLOPs is what the codes of a square image take.
func (c DALLEConfig) FLOPs(side int) float64 {
	in, flops := c.Hidden, LinearFLOPs(side*side, 3*7*7, c.Hidden)
	for g := range dalleGroups {
		out := c.width(g)
		inside := out / dalleNarrow
		for range c.Blocks {
			if in != out {
				flops += LinearFLOPs(side*side, in, out)
			}
			flops += LinearFLOPs(side*side, 9*(in+2*inside)+out, inside)
			in = out
		}
		if g < dalleGroups-1 {
			side /= 2
		}
	}
	return flops + LinearFLOPs(side*side, in, c.Codes)
}
