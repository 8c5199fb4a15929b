package data

import "github.com/gobeit/gobeit/tensor"

// squareCrop is a random resized crop of 8 to 100 % of the area, with values in [0, 1].
func squareCrop(size int) *RandomCrop {
	return &RandomCrop{Scale: [2]float64{0.08, 1}, Views: []View{{Size: size, Filter: Bicubic, Norm: Unit}}}
}

// pretrainCrop is the augmentation of pre-training: one crop, seen by the student and by the tokenizer.
func pretrainCrop(student, tokenizer View) *RandomCrop {
	tokenizer.Name = "target"
	return &RandomCrop{Scale: [2]float64{0.2, 1}, Jitter: 0.4, Views: []View{student, tokenizer}}
}

// centre is the transform of validation, with values in [0, 1].
func centre(size int) *Eval {
	return &Eval{Views: []View{{Size: size, Filter: Bicubic, Norm: Unit}}}
}

// unlabelled is a sample of m without a label.
func unlabelled(m Image) Sample { return Sample{Image: m, Label: -1} }

// into is x as the destination of a pipeline with one field.
func into(x []float32) Tensors { return Tensors{{Float32: x}} }

// applied is what p makes of m.
func applied(p Pipeline, m Image, r *tensor.Rand) Tensors {
	dst := newTensors(p.Outputs(), 1)
	p.Apply(dst, unlabelled(m), r)
	return dst
}
