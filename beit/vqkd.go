package beit

import (
	"errors"
	"fmt"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// VQKDConfig is the configuration of a VQ-KD tokenizer.
type VQKDConfig struct {
	Encoder    ViTConfig `toml:"encoder"`
	Decoder    ViTConfig `toml:"decoder"` // image_size is the encoder's grid, patch_size 1, channels code_dim
	Codes      int       `toml:"codes" help:"size K of the codebook"`
	CodeDim    int       `toml:"code_dim" help:"width D of a code"`
	TargetDim  int       `toml:"target_dim" help:"width C of the teacher's features; a run takes the teacher's"`
	Decay      float64   `toml:"decay" help:"of the codebook's EMA"`
	Beta       float64   `toml:"beta" help:"weight of the commitment loss"`
	KMeansInit bool      `toml:"kmeans_init" help:"the codebook starts empty and k-means fills it"`

	Euclidean        bool `toml:"euclidean" absent:"false" help:"tokens and codes are not L2-normalised, and a token's code is the nearest by Euclidean distance; else by cosine similarity"`
	CodebookGradient bool `toml:"codebook_gradient" absent:"false" help:"codes are parameters that the gradient of their squared distance to their tokens moves, without weight decay; else their EMA moves them"`
}

// Check returns an error that names the wrong keys, or nil.
func (c VQKDConfig) Check() error {
	wrap := func(part string, err error) error {
		if err == nil {
			return nil
		}
		return fmt.Errorf("%s: %w", part, err)
	}
	err := errors.Join(wrap("encoder", c.Encoder.Check()), wrap("decoder", c.Decoder.Check()))
	if err != nil {
		return err
	}
	var errs []error
	must := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	must(c.Codes > 0, "codes = %d: must be at least 1", c.Codes)
	must(c.CodeDim > 0, "code_dim = %d: must be at least 1", c.CodeDim)
	must(c.TargetDim > 0, "target_dim = %d: must be at least 1", c.TargetDim)
	must(c.Decay >= 0 && c.Decay <= 1, "decay = %g: must be in [0, 1]", c.Decay)
	must(c.Beta >= 0, "beta = %g: must not be negative", c.Beta)
	must(c.Decoder.Channels == c.CodeDim, "decoder.channels = %d: must be code_dim = %d", c.Decoder.Channels, c.CodeDim)
	must(c.Decoder.PatchSize == 1, "decoder.patch_size = %d: must be 1", c.Decoder.PatchSize)
	rows, cols := c.Encoder.GridSize()
	decoderRows, decoderCols := c.Decoder.GridSize()
	must(decoderRows == rows && decoderCols == cols, "decoder.image_size = %d: must be the encoder's grid %d", c.Decoder.ImageSize, rows)
	return errors.Join(errs...)
}

// VQKD is the tokenizer trained by vector-quantised knowledge distillation. The output tokens of an encoder are replaced by their nearest
// codes, from which a decoder reconstructs the features of a teacher. See arXiv 2208.06366, section 2.2.
type VQKD struct {
	Config       VQKDConfig
	Encoder      *ViT
	Decoder      *ViT
	EncodeLayers [2]*nn.Linear // d → d, tanh, d → D
	DecodeLayers [2]*nn.Linear // d → d, tanh, d → C

	Codebook *nn.Param // "quantize.embedding.weight" [K, D], unit rows unless Euclidean; a buffer unless CodebookGradient
	Bins     *nn.Param // "quantize.embedding.cluster_size" [K]: counts of the last k-means iteration
	Initted  *nn.Param // "quantize.embedding.initted" [1]: 1 if the codebook is initialised
	Usage    *nn.Param // "quantize.cluster_size" [K]: EMA of the counts since ResetUsage

	counts, sums *tensor.Tensor // of the current step: [K], [K, D]; nil before the first
	last         *tensor.Tensor // counts of the last finished step, [K]
}

// NewVQKD declares the tokenizer's parameters under the names of the authors' beit2/modeling_vqkd.py. The config must pass Check.
func NewVQKD(s nn.Scope, c VQKDConfig) *VQKD {
	m := &VQKD{Config: c, Encoder: NewViT(s.Sub("encoder"), c.Encoder), Decoder: NewViT(s.Sub("decoder"), c.Decoder)}
	layers := func(name string, in, out int) [2]*nn.Linear {
		l := s.Sub(name)
		return [2]*nn.Linear{nn.NewLinear(l.Index(0), in, in, wideNormal), nn.NewLinear(l.Index(2), in, out, wideNormal)}
	}
	m.EncodeLayers = layers("encode_task_layer", c.Encoder.Width, c.CodeDim)
	m.DecodeLayers = layers("decode_task_layer", c.Decoder.Width, c.TargetDim)
	q := s.Sub("quantize")
	codes, initted := nn.UnitRows(c.CodeDim), nn.Ones
	if c.KMeansInit {
		codes, initted = nn.Zeros, nn.Zeros
	}
	e := q.Sub("embedding")
	if c.CodebookGradient {
		m.Codebook = e.Param("weight", codes, c.Codes, c.CodeDim)
		m.Codebook.NoDecay = true // decay would pull codes without tokens to 0
	} else {
		m.Codebook = e.Buffer("weight", codes, c.Codes, c.CodeDim)
	}
	m.Bins = e.Buffer("cluster_size", nn.Zeros, c.Codes)
	e.Buffer("embed_avg", nn.Zeros, c.Codes, c.CodeDim) // in every published file, never used
	m.Initted = e.Buffer("initted", initted, 1)
	m.Usage = q.Buffer("cluster_size", nn.Zeros, c.Codes)
	return m
}

// Features returns the output tokens of the encoder, [B, N, D], of images [B, 3, S, S] in [0, 1]. They are not normalised.
func (m *VQKD) Features(c nn.Context, images *autograd.Var) *autograd.Var {
	x := m.Encoder.PatchTokens(c, SymmetricRange(images, 1))
	return task(c, m.EncodeLayers, x)
}

// task applies a linear layer, tanh and a linear layer, in float32.
func task(c nn.Context, l [2]*nn.Linear, x *autograd.Var) *autograd.Var {
	return c.Exact(func() *autograd.Var {
		x := autograd.Tanh(l[0].Forward(c, x, autograd.LinearOptions{}))
		return l[1].Forward(c, x, autograd.LinearOptions{})
	})
}

// Encode returns the output tokens of the encoder as they are compared with codes, [B·N, D]: unit rows unless Euclidean.
func (m *VQKD) Encode(c nn.Context, images *autograd.Var) *autograd.Var {
	return m.unit(autograd.Reshape(m.Features(c, images), -1, m.Config.CodeDim))
}

// unit normalises rows, unless Euclidean. Of unit rows, the nearest by squared distance is the nearest by cosine similarity.
func (m *VQKD) unit(rows *autograd.Var) *autograd.Var {
	if m.Config.Euclidean {
		return rows
	}
	return autograd.L2Normalize(rows)
}

// Codes returns the code of every patch, Int32 [B·N], row-major. It computes no gradients and no statistics. The caller releases the
// result.
func (m *VQKD) Codes(c nn.Context, images *autograd.Var) *tensor.Tensor {
	z := frozen(c, func(c nn.Context) *autograd.Var { return m.Encode(c, images) })
	return tensor.NearestCode(z.Value(), m.Codebook.Value)
}

// Decode reconstructs the features of the teacher, [B, N, C], from codebook rows x [B, N, D].
func (m *VQKD) Decode(c nn.Context, x *autograd.Var) *autograd.Var {
	return task(c, m.DecodeLayers, m.Decoder.DecodeTokens(c, x))
}

// VQKDResult is the result of a forward pass. The losses, Codes and Z may be read until the tape's Reset. The other values may be read
// until Backward, or later after a call of Keep.
type VQKDResult struct {
	Loss, Rec, Commitment *autograd.Var  // one element each; Loss = Rec + Commitment, and + CodebookLoss with CodebookGradient
	CodebookLoss          *autograd.Var  // one element: Commitment without Beta, with a gradient to the codebook alone; nil without CodebookGradient
	Features              *autograd.Var  // output tokens of the encoder, [B, N, D]
	Quantized             *autograd.Var  // input of the decoder: codebook rows, [B, N, D]
	Reconstruction        *autograd.Var  // [B, N, C]
	Codes                 *tensor.Tensor // Int32 [B·N]
	Z                     *tensor.Tensor // tokens as Encode returns them, [B·N, D]
}

// Forward encodes images [B, 3, S, S] in [0, 1], quantises the tokens and decodes them. The losses compare the result with target [B, N,
// C], the features of the teacher. The codebook is not changed; see Accumulate and UpdateCodebook.
//
// With CodebookGradient the loss has all three terms of the paper's equation 2, else its first and its last. As in the authors' code, a
// term is the mean over all elements.
func (m *VQKD) Forward(c nn.Context, images *autograd.Var, target *tensor.Tensor) VQKDResult {
	return m.ForwardBy(c, images, func(rebuilt *autograd.Var) *autograd.Var { return autograd.CosineLoss(rebuilt, target) })
}

// ForwardBy is Forward with another loss of what the decoder makes, [B, N, C]: one element.
func (m *VQKD) ForwardBy(c nn.Context, images *autograd.Var, loss func(rebuilt *autograd.Var) *autograd.Var) VQKDResult {
	r := VQKDResult{Features: m.Features(c, images)}
	shape := r.Features.Shape()
	z := m.unit(autograd.Reshape(r.Features, -1, m.Config.CodeDim)).Keep()
	r.Z = z.Value()
	r.Codes = c.Tape.Own(tensor.NearestCode(r.Z, m.Codebook.Value)).Value()
	chosen := c.Tape.Own(tensor.GatherRows(m.Codebook.Value, r.Codes)) // z_q
	r.Commitment = autograd.Affine(autograd.MeanSquare(z, chosen), float32(m.Config.Beta), 0).Keep()
	chosen.Value().Retain() // one owner is the tape, the other the result of StraightThrough
	r.Quantized = autograd.Reshape(autograd.StraightThrough(z, chosen.Value()), shape...)
	r.Reconstruction = m.Decode(c, r.Quantized)
	r.Rec = loss(r.Reconstruction).Keep()
	r.Loss = autograd.Add(r.Rec, r.Commitment)
	if m.Config.CodebookGradient {
		rows := m.unit(autograd.GatherRows(m.Codebook.Var(c.Tape), r.Codes))
		r.CodebookLoss = autograd.MeanSquare(autograd.StopGradient(z), rows).Keep()
		r.Loss = autograd.Add(r.Loss, r.CodebookLoss)
	}
	return r
}

// SymmetricRange maps pixels in [0, top] to [-1, 1], the input range of the encoder. top is 1 or 255.
func SymmetricRange(images *autograd.Var, top float32) *autograd.Var {
	return autograd.Affine(images, 2/top, -1)
}
