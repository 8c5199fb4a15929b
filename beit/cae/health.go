package cae

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
)

// fallen is the part of its largest value so far below which the spread of target latents has fallen when they are about the same for all patches.
const fallen = 0.1

// symptoms are those of all who predict codes, and latents that tell patches apart no more: then the regressor predicts a constant, at no loss.
var symptoms = []method.Symptom{pretrain.FewCodes, {
	Name: "constant latents",
	Seen: func(f *method.Figures) bool {
		spread, known := f.Values[keyMeanLatent]
		return f.Validation && known && spread < fallen*f.Most[keyMeanLatent]
	},
	Text: func(f *method.Figures) string {
		return fmt.Sprintf("target latents have become about the same for all patches of an image (image-mean baseline %.3g): lower train.lr", f.Values[keyMeanLatent])
	},
}}
