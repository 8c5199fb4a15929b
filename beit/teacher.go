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

// Teacher computes the features of images that a tokenizer learns to reconstruct.
type Teacher interface {
	// Name is the name of the teacher in configurations.
	Name() string
	// Dim is the number C of features of a patch.
	Dim() int
	// Features maps images [B, 3, S, S] in [0, 1] to [B, N, C], without gradients. The caller releases the result.
	Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor
}

// ClassTeacher is a teacher that has features of the whole image, too.
type ClassTeacher interface {
	Teacher
	// AllFeatures maps images [B, 3, S, S] in [0, 1] to the features of the class token and of the patches, [B, N+1, C], without gradients. The caller
	// releases the result.
	AllFeatures(c nn.Context, images *tensor.Tensor) *tensor.Tensor
}

// Standardized is a teacher whose features are standardised, each to mean 0 and standard deviation 1 over the training set. Without this
// a constant prediction has a high cosine similarity with features that share an offset.
// Its buffers "teacher.mean" and "teacher.std" are saved with the tokenizer. The authors' loader skips names that start with "teacher".
type Standardized struct {
	Raw       Teacher
	Mean, Std *nn.Param // [C]
}

// NewStandardized declares the buffers in the scope of a tokenizer. They are 0 and 1 before Fit.
func NewStandardized(s nn.Scope, raw Teacher) *Standardized {
	t := s.Sub("teacher")
	return &Standardized{
		Raw: raw, Mean: t.Buffer("mean", nn.Zeros, raw.Dim()), Std: t.Buffer("std", nn.Ones, raw.Dim()),
	}
}

// Name is the name of the wrapped teacher.
func (t *Standardized) Name() string { return t.Raw.Name() }

// Dim is the number of features of the wrapped teacher.
func (t *Standardized) Dim() int { return t.Raw.Dim() }

// Features returns (raw − mean)/std.
func (t *Standardized) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	return t.standardize(t.Raw.Features(c, images))
}

// standardize changes raw features y in place.
func (t *Standardized) standardize(y *tensor.Tensor) *tensor.Tensor {
	tensor.BinaryInto(y, tensor.BinarySub, y, t.Mean.Value)
	tensor.BinaryInto(y, tensor.BinaryDiv, y, t.Std.Value)
	return y
}

// FeaturesOf is t.Features for images that the host has as well, as host [B, 3, S, S]. A teacher that computes there reads those, and does not wait
// until the device has the images.
func FeaturesOf(c nn.Context, t Teacher, images *tensor.Tensor, host []float32) *tensor.Tensor {
	switch t := t.(type) {
	case *Standardized:
		return t.standardize(FeaturesOf(c, t.Raw, images, host))
	case *HOG:
		return t.features(images.Device(), host)
	}
	return t.Features(c, images)
}

// minStd is the smallest standard deviation, for features that are nearly constant.
const minStd = 1e-6

// Fit computes mean and standard deviation of the features of batches of images, which the caller keeps. It sums in float64 in the order
// of the batches, so equal batches give equal statistics.
func (t *Standardized) Fit(c nn.Context, batches iter.Seq2[*tensor.Tensor, error]) error {
	d := t.Dim()
	sum, square, n := make([]float64, d), make([]float64, d), 0
	shift := make([]float64, d) // the first row; differences from it lose no digits to a common offset
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
		return errors.New("statistics of teacher " + t.Name() + ": no images")
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

// Mean and standard deviation of the pixels of ImageNet.
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

// Mean and standard deviation of the pixels of CLIP's training images.
var (
	CLIPMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	CLIPStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// NetworkTeacher is a teacher that returns the patch tokens of a published network. These need no standardisation.
type NetworkTeacher struct {
	name      string
	dim       int
	mean, std [3]float32
	tokens    func(c nn.Context, images *autograd.Var) *autograd.Var // class token and patch tokens, [B, N+1, C]
}

var _ ClassTeacher = (*NetworkTeacher)(nil)

// NewCLIPTeacher returns a teacher for a loaded CLIP model. Its features are the projected patch tokens, [B, N, OutDim].
func NewCLIPTeacher(m *CLIP) *NetworkTeacher {
	return &NetworkTeacher{name: "clip", dim: m.Config.OutDim, mean: CLIPMean, std: CLIPStd, tokens: m.AllTokens}
}

// NewDINOTeacher returns a teacher for a loaded DINO model. Its features are the patch tokens after the final norm, [B, N, d].
func NewDINOTeacher(m *DINO) *NetworkTeacher {
	return &NetworkTeacher{name: "dino", dim: m.Config.Width, mean: ImageNetMean, std: ImageNetStd, tokens: m.AllTokens}
}

// WithNorm returns the teacher for a network whose images are normalised otherwise.
func (t *NetworkTeacher) WithNorm(mean, std [3]float32) *NetworkTeacher {
	other := *t
	other.mean, other.std = mean, std
	return &other
}

// Name is "clip" or "dino".
func (t *NetworkTeacher) Name() string { return t.name }

// Dim is the output width of the network.
func (t *NetworkTeacher) Dim() int { return t.dim }

// Preprocess clamps images to [0, 1] and normalises them with the network's mean and standard deviation. The caller releases the result.
func (t *NetworkTeacher) Preprocess(images *tensor.Tensor) *tensor.Tensor {
	dev := images.Device()
	zero, one := tensor.Zeros(dev, 1), tensor.Full(dev, 1, 1)
	defer zero.Release()
	defer one.Release()
	y := tensor.Binary(tensor.BinaryMax, images, zero)
	defer y.Release()
	tensor.BinaryInto(y, tensor.BinaryMin, y, one)
	return Normalize(y, t.mean, t.std)
}

// Features returns the patch tokens of the network.
func (t *NetworkTeacher) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	return t.run(c, images, func(all *autograd.Var) *autograd.Var { return patches(all) })
}

// AllFeatures returns the class token and the patch tokens of the network.
func (t *NetworkTeacher) AllFeatures(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	return t.run(c, images, func(all *autograd.Var) *autograd.Var { return all })
}

// run returns a part of the tokens of the network.
func (t *NetworkTeacher) run(c nn.Context, images *tensor.Tensor, part func(all *autograd.Var) *autograd.Var) *tensor.Tensor {
	y := frozen(c, func(c nn.Context) *autograd.Var { return part(t.tokens(c, c.Tape.Own(t.Preprocess(images)))) })
	y.Value().Retain()
	return y.Value()
}

// Encoder is a network without a task, for probes and as a teacher: *MIM, *DINO or *ViT.
type Encoder interface {
	// Width is the width of a token.
	Width() int
	// AllTokens returns the class token and the patch tokens after the final norm, [B, N+1, d], of normalised images [B, 3, S, S].
	AllTokens(c nn.Context, images *autograd.Var) *autograd.Var
	// Features returns the class token and the mean of the patch tokens after the final norm, [B, d] each.
	Features(c nn.Context, images *autograd.Var) (class, mean *autograd.Var)
	BlockModel
}

// BlockModel is a network that returns the output of a block.
type BlockModel interface {
	// BlockTokens returns the patch tokens after block n = 1, 2, …, [B, N, d].
	BlockTokens(c nn.Context, images *autograd.Var, n int) *autograd.Var
}

// RunTeacher is a teacher that returns the patch tokens of an intermediate block of a trained model. Wrap it by NewStandardized.
type RunTeacher struct {
	model     BlockModel
	block     int
	width     int
	mean, std [3]float32
}

// NewRunTeacher returns a teacher for a built and loaded model of images normalised as ImageNet's. block counts from 1; 0 means block ⌈2L/3⌉ of L.
func NewRunTeacher(model BlockModel, c ViTConfig, block int) (*RunTeacher, error) {
	if block == 0 {
		block = (2*c.Depth + 2) / 3
	}
	if block < 1 || block > c.Depth {
		return nil, fmt.Errorf("teacher: block %d: the model has blocks 1 … %d", block, c.Depth)
	}
	return &RunTeacher{model: model, block: block, width: c.Width, mean: ImageNetMean, std: ImageNetStd}, nil
}

// WithNorm returns the teacher for a network whose images are normalised otherwise.
func (t *RunTeacher) WithNorm(mean, std [3]float32) *RunTeacher {
	other := *t
	other.mean, other.std = mean, std
	return &other
}

// Name is "run".
func (t *RunTeacher) Name() string { return "run" }

// Dim is the width of the model.
func (t *RunTeacher) Dim() int { return t.width }

// Features returns the patch tokens after the chosen block.
func (t *RunTeacher) Features(c nn.Context, images *tensor.Tensor) *tensor.Tensor {
	y := frozen(c, func(c nn.Context) *autograd.Var {
		view := c.Tape.Own(Normalize(images, t.mean, t.std))
		return t.model.BlockTokens(c, view, t.block)
	})
	y.Value().Retain()
	return y.Value()
}
