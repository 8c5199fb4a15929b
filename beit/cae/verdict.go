package cae

import (
	"cmp"
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
)

// verdict says how well codes and latents of masked patches are predicted, beside chance and baselines, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	first := fmt.Sprintf("Cross-entropy %.2f and accuracy %s of codes %s; chance %s (one of %d codes)", v[keyCodes], method.Percent(v[keyAccuracy]), on,
		method.Percent(1/float64(SectionOf(o.Config).Model.Vocab)), SectionOf(o.Config).Model.Vocab)
	if o.Val == nil {
		return []string{first + ".", "Without validation images that may be memory: data.val_fraction sets some aside, and gives baselines."}
	}
	first += fmt.Sprintf(", unigram entropy %.2f, nearest-patch baseline %s; loss of latents %.3f, image-mean baseline %.3f.",
		v[target.KeyEntropy], method.Percent(v[target.KeyNearest]), v[keyLatents], v[keyMeanLatent])
	second := "That is good: it beats the copy of the nearest visible patch, and knows the latents of an image's patches apart."
	if method.Below(v[keyLatents], v[keyMeanLatent]) != method.TrendLearning {
		second = "It beats the copy of the nearest visible patch, and does not yet know the latents of an image's patches apart: give it more epochs (train.epochs)."
	}
	return []string{first, cmp.Or(pretrain.CodesTrouble(v), second)}
}
