package pretrain

import (
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
)

// fewCodes is the perplexity of codes below which there is next to nothing to predict: of four equally frequent codes a guess is right in a
// quarter of all cases.
const fewCodes = 4

// FewCodes is the symptom of a tokenizer's codes that leave nothing to predict, for all methods that learn from one.
var FewCodes = method.Symptom{
	Name: "nothing to predict",
	Seen: func(f *method.Figures) bool {
		perplexity, known := f.Values["perplexity"]
		return known && perplexity < fewCodes
	},
	Text: func(*method.Figures) string {
		return "the tokenizer gives nearly all patches the same few codes, so there is nothing to predict: train another tokenizer, with tokenizer.reseed=true"
	},
}

// symptoms has FewCodes, which says something else of codes that no tokenizer gives.
var symptoms = []method.Symptom{{
	Name: FewCodes.Name,
	Seen: FewCodes.Seen,
	Text: func(f *method.Figures) string {
		if kind, _ := target.Find(SectionOf(f.Config).Target); kind.Tokenizer == "" {
			return "nearly all patches have the same few codes, so there is nothing to predict: the images are too much alike, or too few"
		}
		return FewCodes.Text(f)
	},
}}

// trend is learning once the MIM head is better than both baselines: the loss of guessing codes by their frequency alone, which is the unigram
// entropy, and the accuracy of the nearest patch. Without codes, it is learning once the loss is clearly below that of the start.
func trend(f *method.Figures) method.Trend {
	loss, entropy := f.Values["loss_mim"], f.Values["unigram_entropy"]
	perplexity, codes := f.Values["perplexity"]
	start, known := f.Start["loss_mim"]
	switch {
	case codes && perplexity < fewCodes:
		return method.TrendCollapsing
	case codes && f.Values["acc_mim"] <= f.Values["acc_nearest_patch"]:
		return method.TrendNotYet
	case codes:
		return method.Below(loss, entropy)
	case !known:
		return ""
	}
	return method.Below(loss, start)
}
