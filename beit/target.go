package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Labels is what a model shall predict for one batch of pictures.
type Labels interface {
	// Loss compares predictions [R, Dim] with the patches that rows, Int32 [R], names among the batch's B·N.
	Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var
}

// Target makes labels from pictures.
type Target interface {
	// Dim is the width of a prediction.
	Dim() int
	// Labels looks at view [B, 3, S, S] in [0, 1] without gradients. The labels live until the tape's Reset.
	Labels(c nn.Context, view *tensor.Tensor) Labels
}

// CodeTarget is the target of BEiT v2: the codes of a frozen tokenizer, by cross-entropy.
type CodeTarget struct{ Tokenizer *VQKD }

// Dim is the number of codes.
func (t CodeTarget) Dim() int { return t.Tokenizer.Config.Codes }

// Labels encodes the view. Codes are looked up for masked patches alone, when Loss is called.
func (t CodeTarget) Labels(c nn.Context, view *tensor.Tensor) Labels {
	z := frozen(c, func(c nn.Context) *autograd.Var { return t.Tokenizer.Encode(c, c.Tape.Constant(view)) })
	return &CodeLabels{z: z.Value(), codebook: t.Tokenizer.Codebook.Value}
}

// CodeLabels are codes of patches.
type CodeLabels struct {
	z, codebook *tensor.Tensor // rows of a batch and the codebook that they are looked up in, or
	given       []int32        // the codes themselves

	rows, codes *tensor.Tensor // the last answer of Codes
}

// GivenCodes are labels known beforehand, one for each of the B·N patches of a batch.
func GivenCodes(codes []int32) *CodeLabels { return &CodeLabels{given: codes} }

// Codes returns the codes of the patches that rows names, Int32 [R], which tape t owns.
func (l *CodeLabels) Codes(t *autograd.Tape, rows *tensor.Tensor) *tensor.Tensor {
	if l.rows == rows {
		return l.codes
	}
	l.rows = rows
	if l.given == nil {
		z := tensor.GatherRows(l.z, rows)
		defer z.Release()
		l.codes = t.Own(tensor.NearestCode(z, l.codebook)).Value()
		return l.codes
	}
	picked := rows.Ints()
	for i, r := range picked {
		picked[i] = l.given[r]
	}
	l.codes = t.Own(tensor.FromInts(t.Device(), picked, len(picked))).Value()
	return l.codes
}

// Loss is the mean cross-entropy.
func (l *CodeLabels) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	return autograd.CrossEntropy(pred, l.Codes(pred.Tape(), rows), 0)
}

// FeatureTarget has the model predict a teacher's features themselves, by cosine, as MVP does (arXiv 2203.05175).
type FeatureTarget struct{ Teacher Teacher }

// Dim is the width of the teacher's features.
func (t FeatureTarget) Dim() int { return t.Teacher.Dim() }

// Labels runs the teacher.
func (t FeatureTarget) Labels(c nn.Context, view *tensor.Tensor) Labels {
	features := c.Tape.Own(t.Teacher.Features(c, view)).Value() // [B, N, C]
	return featureLabels{features.Reshape(-1, t.Teacher.Dim())}
}

type featureLabels struct{ features *tensor.Tensor } // [B·N, C]

// Loss is the mean of 1 − cosine.
func (l featureLabels) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	return autograd.CosineLoss(pred, pred.Tape().Own(tensor.GatherRows(l.features, rows)).Value())
}
