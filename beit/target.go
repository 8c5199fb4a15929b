package beit

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// Labels are the targets of one batch of images.
type Labels interface {
	// Loss returns the loss of predictions [R, Dim] for the patches rows, Int32 [R], among the B·N of the batch.
	Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var
}

// ClassLabels are labels that have one for the class token of each image too.
type ClassLabels interface {
	Labels
	// ClassLoss returns the loss of predictions [B, Dim] for the class tokens.
	ClassLoss(pred *autograd.Var) *autograd.Var
}

// Coder has a code for each patch of an image: a *VQKD or a *DALLE.
type Coder interface {
	// Codes returns the codes of images [B, 3, S, S] in [0, 1], Int32 [B·N]. The caller releases the result.
	Codes(c nn.Context, images *autograd.Var) *tensor.Tensor
}

// Target computes labels from images.
type Target interface {
	// Dim is the width of a prediction.
	Dim() int
	// Labels returns the labels of images view [B, 3, S, S] in [0, 1], without gradients. They are valid until the tape's Reset.
	Labels(c nn.Context, view *tensor.Tensor) Labels
}

// CodeTarget is the target of BEiT v2: the codes of a frozen tokenizer, with cross-entropy.
type CodeTarget struct{ Tokenizer *VQKD }

// Dim is the number of codes.
func (t CodeTarget) Dim() int { return t.Tokenizer.Config.Codes }

// Labels implements Target. Codes are looked up when Loss is called, for masked patches only.
func (t CodeTarget) Labels(c nn.Context, view *tensor.Tensor) Labels {
	z := frozen(c, func(c nn.Context) *autograd.Var { return t.Tokenizer.Encode(c, c.Tape.Constant(view)) })
	return NearestCodes(z.Value(), t.Tokenizer.Codebook.Value)
}

// CodeLabels are the codes of the patches of a batch.
type CodeLabels struct {
	z, codebook *tensor.Tensor // tokens [B·N, D] of the batch, and the codebook; or
	given       []int32        // the codes themselves, of the host; or
	made        *tensor.Tensor // of the device, Int32 [B·N]

	known       map[*tensor.Tensor][]int32 // rows that the host has as well
	rows, codes *tensor.Tensor             // arguments and result of the last call of Codes
}

// know tells labels which rows a tensor holds: codes of the host are picked there, and need not be read back from the device for it.
func (l *CodeLabels) know(rows *tensor.Tensor, host []int32) {
	if l.known == nil {
		l.known = map[*tensor.Tensor][]int32{}
	}
	l.known[rows] = host
}

// NearestCodes returns labels that are, of each of the B·N rows z [B·N, D] of a batch, the nearest row of codebook [K, D]. They are looked up when they are
// wanted. Both tensors must live as long as the labels.
func NearestCodes(z, codebook *tensor.Tensor) *CodeLabels {
	return &CodeLabels{z: z, codebook: codebook}
}

// GivenCodes returns labels for known codes, one for each of the B·N patches of a batch.
func GivenCodes(codes []int32) *CodeLabels { return &CodeLabels{given: codes} }

// MadeCodes is GivenCodes for codes of the device, Int32 [B·N], below 1<<24, which it keeps.
func MadeCodes(codes *tensor.Tensor) *CodeLabels { return &CodeLabels{made: codes} }

// Codes returns the codes, Int32 [R], of the patches rows. Tape t owns them.
func (l *CodeLabels) Codes(t *autograd.Tape, rows *tensor.Tensor) *tensor.Tensor {
	if l.rows == rows {
		return l.codes
	}
	l.rows = rows
	if l.z != nil {
		z := tensor.GatherRows(l.z, rows)
		defer z.Release()
		l.codes = t.Own(tensor.NearestCode(z, l.codebook)).Value()
		return l.codes
	}
	if l.made != nil {
		column := tensor.Cast(l.made, tensor.Float32) // rows are gathered of numbers, exactly below 1<<24
		defer column.Release()
		picked := tensor.GatherRows(column, rows)
		defer picked.Release()
		l.codes = t.Own(tensor.Cast(picked, tensor.Int32)).Value()
		return l.codes
	}
	host, ok := l.known[rows]
	if !ok {
		host = rows.Ints()
	}
	picked := make([]int32, len(host))
	for i, r := range host {
		picked[i] = l.given[r]
	}
	l.codes = t.Own(tensor.FromInts(t.Device(), picked, len(picked))).Value()
	return l.codes
}

// All returns the codes of all B·N patches. The caller does not change them.
func (l *CodeLabels) All() []int32 {
	switch {
	case l.given != nil:
		return l.given
	case l.made != nil:
		return l.made.Ints()
	}
	codes := tensor.NearestCode(l.z, l.codebook)
	defer codes.Release()
	return codes.Ints()
}

// Loss implements Labels by the mean cross-entropy.
func (l *CodeLabels) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	return autograd.CrossEntropy(pred, l.Codes(pred.Tape(), rows), 0)
}

// FeatureTarget is the target of MVP (arXiv 2203.05175): the features of a teacher, with a cosine loss.
type FeatureTarget struct {
	Teacher Teacher
	// Class makes the labels ClassLabels. Teacher must be a ClassTeacher.
	Class bool
}

// Dim is the width of the teacher's features.
func (t FeatureTarget) Dim() int { return t.Teacher.Dim() }

// Labels implements Target by the features of the teacher.
func (t FeatureTarget) Labels(c nn.Context, view *tensor.Tensor) Labels {
	if !t.Class {
		return t.patchLabels(c, t.Teacher.Features(c, view))
	}
	var class, rest *tensor.Tensor
	c.Tape.NoGrad(func() {
		all := c.Tape.Own(t.Teacher.(ClassTeacher).AllFeatures(c, view)) // [B, N+1, C]
		n := all.Shape()[1]
		class, rest = autograd.Slice(all, 1, 0, 1).Value(), autograd.Slice(all, 1, 1, n).Value()
	})
	flat := func(x *tensor.Tensor) *tensor.Tensor {
		return c.Tape.Own(x.Clone()).Value().Reshape(-1, t.Teacher.Dim())
	}
	return classLabels{featureLabels{flat(rest)}, flat(class)}
}

// patchLabels are those of features [B, N, C], which the tape then owns.
func (t FeatureTarget) patchLabels(c nn.Context, features *tensor.Tensor) featureLabels {
	return featureLabels{c.Tape.Own(features).Value().Reshape(-1, t.Teacher.Dim())}
}

// LabelsOf is t.Labels for images that the host has as well, as host [B, 3, S, S]: see FeaturesOf.
func LabelsOf(c nn.Context, t Target, view *tensor.Tensor, host []float32) Labels {
	if f, ok := t.(FeatureTarget); ok && !f.Class { // a teacher with a class token is a network
		return f.patchLabels(c, FeaturesOf(c, f.Teacher, view, host))
	}
	return t.Labels(c, view)
}

// featureLabels are the features of the patches of a batch.
type featureLabels struct{ features *tensor.Tensor } // [B·N, C]

// Loss implements Labels by the mean of 1 − cosine similarity.
func (l featureLabels) Loss(pred *autograd.Var, rows *tensor.Tensor) *autograd.Var {
	return autograd.CosineLoss(pred, pred.Tape().Own(tensor.GatherRows(l.features, rows)).Value())
}

// classLabels are the features of the patches and of the class tokens of a batch.
type classLabels struct {
	featureLabels
	class *tensor.Tensor // [B, C]
}

// ClassLoss implements ClassLabels by the mean of 1 − cosine similarity.
func (l classLabels) ClassLoss(pred *autograd.Var) *autograd.Var {
	return autograd.CosineLoss(pred, l.class)
}
