package beit

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Teacher turns pictures into the features that a tokenizer learns to reconstruct.
type Teacher interface {
	Name() string
	// Dim is the width C of a feature.
	Dim() int
	// Features maps images [B, 3, S, S] in [0, 1] to [B, N, C], without gradients. The caller releases the result.
	Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor
}

// Standard is a teacher whose every dimension is shifted and scaled to mean 0 and deviation 1 over the training set, because a
// constant prediction already scores well by cosine against features that share an offset. Its buffers "teacher.mean" and
// "teacher.std" are saved with the tokenizer; the authors' loader skips names that start with "teacher".
type Standard struct {
	Raw       Teacher
	Mean, Std *nn.Param // [C]
}

// NewStandard declares the buffers in the scope of a tokenizer. Until Fit they are 0 and 1.
func NewStandard(s nn.Scope, raw Teacher) *Standard {
	t := s.Sub("teacher")
	return &Standard{
		Raw: raw, Mean: t.Buffer("mean", nn.Zeros, raw.Dim()), Std: t.Buffer("std", nn.Ones, raw.Dim()),
	}
}

// Name is that of the teacher inside.
func (t *Standard) Name() string { return t.Raw.Name() }

// Dim is that of the teacher inside.
func (t *Standard) Dim() int { return t.Raw.Dim() }

// Features returns (raw − mean)/std.
func (t *Standard) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	y := t.Raw.Features(c, images)
	tensor.BinaryInto(y, tensor.BinarySub, y, t.Mean.Value)
	tensor.BinaryInto(y, tensor.BinaryDiv, y, t.Std.Value)
	return y
}

// minStd bounds deviations from below, for dimensions that hardly vary.
const minStd = 1e-6

// Fit measures mean and deviation over batches of images, which stay the caller's. Sums are kept in float64 in the order of the
// batches, so equal batches give equal statistics.
func (t *Standard) Fit(c nn.Context, batches iter.Seq2[*tensor.Tensor, error]) error {
	d := t.Dim()
	sum, square, n := make([]float64, d), make([]float64, d), 0
	shift := make([]float64, d) // the first row: sums of differences from it lose no digits to a common offset
	for images, err := range batches {
		if err != nil {
			return fmt.Errorf("statistics of teacher %s: %w", t.Name(), err)
		}
		y := t.Raw.Features(c, images)
		rows := y.Float32s()
		y.Release()
		for ; len(rows) > 0; rows = rows[d:] {
			for i, v := range rows[:d] {
				if n == 0 {
					shift[i] = float64(v)
				}
				x := float64(v) - shift[i]
				sum[i] += x
				square[i] += x * x
			}
			n++
		}
	}
	if n == 0 {
		return errors.New("statistics of teacher " + t.Name() + ": no pictures")
	}
	mean, std := make([]float32, d), make([]float32, d)
	for i := range d {
		m := sum[i] / float64(n)
		mean[i] = float32(shift[i] + m)
		std[i] = float32(max(math.Sqrt(max(square[i]/float64(n)-m*m, 0)), minStd))
	}
	t.Mean.Value.Upload(mean)
	t.Std.Value.Upload(std)
	return nil
}

// Pixel statistics of ImageNet, by which the student's view is normalised.
var (
	ImageNetMean = [3]float32{0.485, 0.456, 0.406}
	ImageNetStd  = [3]float32{0.229, 0.224, 0.225}
)

// Normalize returns (images − mean)/std for each channel of images [B, 3, S, S]. The caller releases the result.
func Normalize(images *tensor.Tensor, mean, std [3]float32) *tensor.Tensor {
	dev := images.Device()
	m, s := tensor.FromSlice(dev, mean[:], 3, 1, 1), tensor.FromSlice(dev, std[:], 3, 1, 1)
	defer m.Release()
	defer s.Release()
	y := tensor.Sub(images, m)
	tensor.BinaryInto(y, tensor.BinaryDiv, y, s)
	return y
}

// Pixel statistics of CLIP's training pictures.
var (
	CLIPMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	CLIPStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// NetworkTeacher teaches with the patch tokens of a published network, which needs no Standard.
type NetworkTeacher struct {
	name      string
	dim       int
	mean, std [3]float32
	tokens    func(c nn.Context, images *autograd.Var) *autograd.Var
}

// NewCLIPTeacher makes a teacher of a loaded CLIP model: every patch token in the space that pictures and texts share, [B, N, OutDim].
func NewCLIPTeacher(m *CLIP) *NetworkTeacher {
	return &NetworkTeacher{name: "clip", dim: m.Config.OutDim, mean: CLIPMean, std: CLIPStd, tokens: m.PatchTokens}
}

// NewDINOTeacher makes a teacher of a loaded DINO model: every normed patch token, [B, N, d].
func NewDINOTeacher(m *DINO) *NetworkTeacher {
	return &NetworkTeacher{name: "dino", dim: m.Config.Width, mean: ImageNetMean, std: ImageNetStd, tokens: m.PatchTokens}
}

// Name is "clip" or "dino".
func (t *NetworkTeacher) Name() string { return t.name }

// Dim is the width of the network's output.
func (t *NetworkTeacher) Dim() int { return t.dim }

// View is what the network sees of images in [0, 1]: clamped to that range, then normalised as it was trained. The caller releases it.
func (t *NetworkTeacher) View(images *tensor.Tensor) *tensor.Tensor {
	dev := images.Device()
	zero, one := tensor.Zeros(dev, 1), tensor.Full(dev, 1, 1)
	defer zero.Release()
	defer one.Release()
	y := tensor.Binary(tensor.BinaryMax, images, zero)
	defer y.Release()
	tensor.BinaryInto(y, tensor.BinaryMin, y, one)
	return Normalize(y, t.mean, t.std)
}

// Features returns the network's patch tokens.
func (t *NetworkTeacher) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	y := frozen(c, func(c nn.Context) *autograd.Var { return t.tokens(c, c.Tape.Own(t.View(images))) })
	y.Value().Retain()
	return y.Value()
}

// Encoder is a backbone without a task, which can be probed and can teach: MIM and DINO are.
type Encoder interface {
	// Width is that of a token.
	Width() int
	// AllTokens returns class token and patch tokens after the final norm, [B, N+1, d], of normalised images [B, 3, S, S].
	AllTokens(c nn.Context, images *autograd.Var) *autograd.Var
	// Features returns the class token and the mean of the patch tokens after the final norm, [B, d] each.
	Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var)
	BlockModel
}

// BlockModel is a model whose blocks can be looked into, and so one that can teach as RunTeacher: an Encoder, or a ViT.
type BlockModel interface {
	// BlockTokens returns the patch tokens after block n = 1, 2, …, [B, N, d].
	BlockTokens(c nn.Context, images *autograd.Var, n int) *autograd.Var
}

// RunTeacher teaches with the patch tokens in the middle of a model trained before. Use it inside NewStandard.
type RunTeacher struct {
	model BlockModel
	block int
	width int
}

// NewRunTeacher makes a teacher of a backbone, which must be built and loaded. block counts from 1;
// 0 chooses ⌈2L/3⌉.
func NewRunTeacher(model BlockModel, c ViTConfig, block int) (*RunTeacher, error) {
	if block == 0 {
		block = (2*c.Depth + 2) / 3
	}
	if block < 1 || block > c.Depth {
		return nil, fmt.Errorf("teacher: block %d: the model has blocks 1 … %d", block, c.Depth)
	}
	return &RunTeacher{model: model, block: block, width: c.Width}, nil
}

// Name is "run".
func (t *RunTeacher) Name() string { return "run" }

// Dim is the model's width.
func (t *RunTeacher) Dim() int { return t.width }

// Features returns the patch tokens after the chosen block.
func (t *RunTeacher) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	y := frozen(c, func(c nn.Context) *autograd.Var {
		view := c.Tape.Own(Normalize(images, ImageNetMean, ImageNetStd))
		return t.model.BlockTokens(c, view, t.block)
	})
	y.Value().Retain()
	return y.Value()
}
