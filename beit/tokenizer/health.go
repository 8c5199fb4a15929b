package tokenizer

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// Thresholds of what is said about the use of codes.
const (
	leastUse = 0.7 // of the most codes used so far: a codebook that is in use varies by some hundredths
	// oneCode is the perplexity of a codebook of which one code is left: 95 % of all tokens with one code and the rest with another give 1.2.
	oneCode = 1.2
	// fewCodes is the perplexity below which codes tell next to nothing about an image.
	fewCodes = 4
)

// symptoms are those of a codebook that is used less and less.
var symptoms = []method.Symptom{
	{
		Name: "one code", Seen: collapsed, Diverged: true,
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("one code is left: of %d codes nearly all patches have the same; begin again with a lower train.lr%s", codes(f), reseedAdvice(f))
		},
	},
	{
		Name: "dying codes",
		Seen: func(f *method.Figures) bool { return dying(f) && !collapsed(f) },
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("codes are dying: %.0f of %d codes are used, and once %.0f were; lower train.lr%s", f.Values["codes_used"], codes(f),
				f.Most["codes_used"], reseedAdvice(f))
		},
	},
}

// codes is the size of the codebook.
func codes(f *method.Figures) int { return SectionOf(f.Config).Model.Codes }

// reseedAdvice is how to keep codes alive, where that is not done already.
func reseedAdvice(f *method.Figures) string {
	if SectionOf(f.Config).Reseed {
		return ", or take fewer codes (tokenizer.model.codes)"
	}
	return ", or set tokenizer.reseed=true"
}

// collapsed says that nearly all patches have one code.
func collapsed(f *method.Figures) bool {
	perplexity, known := f.Values["perplexity"]
	return known && perplexity < oneCode
}

// dying says that fewer codes are used than before.
func dying(f *method.Figures) bool {
	used, known := f.Values["codes_used"]
	return known && used < leastUse*f.Most["codes_used"]
}

// trend is learning once the reconstruction is clearly better than at the start.
func trend(f *method.Figures) method.Trend {
	start, known := f.Start["loss_reconstruction"]
	switch perplexity, counted := f.Values["perplexity"]; {
	case counted && perplexity < fewCodes || dying(f):
		return method.TrendCollapsing
	case !known:
		return ""
	}
	return method.Below(f.Values["loss_reconstruction"], start)
}
