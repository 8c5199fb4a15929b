package segment

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn"
	"github.com/gobeit/gobeit/tensor"
)

// pixelLoss is the cross-entropy of pixels with their classes.
type pixelLoss struct {
	valid   bool      // divided by the number of labelled pixels, else of all
	weights []float32 // of the classes; nil: 1 each
}

// target is what logits are compared with.
type target struct {
	overAll bool
	labels  *tensor.Tensor // Int32 [B, h, w], negative without a class
	soft    *tensor.Tensor // [B·h·w, K] with weights of classes, else nil
	factor  float32        // on the mean over all rows of soft
}

// target prepares the classes [B, h, w] of pixels, data.NoClass for none.
func (l pixelLoss) target(c nn.Context, classes []int32, shape []int) target {
	labels := make([]int32, len(classes))
	labelled := 0
	for i, class := range classes {
		if labels[i] = class; class == data.NoClass {
			labels[i] = -1
		} else {
			labelled++
		}
	}
	t := target{overAll: !l.valid, factor: 1}
	t.labels = c.Tape.Own(tensor.FromInts(c.Tape.Device(), labels, shape...)).Value()
	if l.weights == nil {
		return t
	}
	k := len(l.weights)
	soft := make([]float32, len(labels)*k)
	for i, class := range labels {
		if class >= 0 {
			soft[i*k+int(class)] = l.weights[class]
		}
	}
	t.soft = c.Tape.Own(tensor.FromSlice(c.Tape.Device(), soft, len(labels), k)).Value()
	if l.valid {
		t.factor = float32(len(labels)) / max(float32(labelled), 1)
	}
	return t
}

// loss is that of logits [B, K, h', w'], resized to the size of the target.
func (t target) loss(logits *autograd.Var) *autograd.Var {
	size := t.labels.Shape()
	if s := logits.Shape(); s[2] != size[1] || s[3] != size[2] {
		logits = autograd.ResizeBilinear(logits, size[1], size[2])
	}
	if t.soft == nil {
		return autograd.PixelCrossEntropy(logits, t.labels, t.overAll)
	}
	rows := autograd.Reshape(autograd.Permute(logits, 0, 2, 3, 1), t.labels.Size(), logits.Shape()[1])
	return autograd.Affine(autograd.SoftCrossEntropy(rows, t.soft), t.factor, 0)
}
