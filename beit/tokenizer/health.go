package tokenizer

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// Thresholds of what is said about the use of codes.
const (
	leastUse = 0.7 // of the most codes used so far: a codebook that is in use varies by some hundredths
	// leastReseeded is leastUse where codes are re-seeded: those that k-means made and training left come back within some epochs.
	leastReseeded = 0.5
	// oneCode is the perplexity of a codebook of which one code is left: 97 % of all tokens with one code and the rest with another give 1.14.
	oneCode = 1.2
	// fewCodes is the perplexity below which codes tell next to nothing about an image; fewShare is that of a small codebook, as a part of its codes.
	fewCodes = 4
	fewShare = 1.0 / 8
)

// symptoms are those of a codebook that is used less and less, the worst first.
var symptoms = []method.Symptom{
	{
		Name: "one code", Seen: oneLeft, Diverged: true, Milder: []string{"few codes", "dying codes"},
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("one code is left: nearly all patches have the same of %d codes; begin again with a lower train.lr%s", codes(f), advice(f, ""))
		},
	},
	{
		Name: "few codes", Milder: []string{"dying codes"},
		Seen: func(f *method.Figures) bool { return fewLeft(f) && !oneLeft(f) },
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("few codes are left: their perplexity is %.1f, of at most %d; if that goes on, begin again with a lower train.lr%s",
				f.Values["perplexity"], codes(f), advice(f, ""))
		},
	},
	{
		Name: "dying codes",
		Seen: func(f *method.Figures) bool { return dying(f) && !fewLeft(f) },
		Text: func(f *method.Figures) string {
			now, before := used(f)
			return fmt.Sprintf("codes are dying: %.0f of %d codes are used, and once %.0f were; if they do not come back, begin again with a lower train.lr%s",
				now, codes(f), before, advice(f, " or fewer codes (tokenizer.model.codes)"))
		},
	},
}

// codes is the size of the codebook.
func codes(f *method.Figures) int { return SectionOf(f.Config).Model.Codes }

// advice is to re-seed codes, or another one where that is done already.
func advice(f *method.Figures, other string) string {
	if SectionOf(f.Config).Reseed {
		return other
	}
	return ", or set tokenizer.reseed=true"
}

// oneLeft says that nearly all patches have one code.
func oneLeft(f *method.Figures) bool {
	perplexity, known := f.Values["perplexity"]
	return known && perplexity < oneCode
}

// fewLeft says that nearly all patches have a few codes, of many.
func fewLeft(f *method.Figures) bool {
	perplexity, known := f.Values["perplexity"]
	return known && perplexity < max(oneCode, min(fewCodes, fewShare*float64(codes(f))))
}

// used is how many codes a record says are used, and the most that were in records before; 0, 0 where it says nothing.
func used(f *method.Figures) (now, before float64) {
	if unused, known := f.Values["codes_unused"]; known {
		return float64(codes(f)) - unused, float64(codes(f)) - f.Start["codes_unused"]
	}
	return f.Values["codes_used"], f.Most["codes_used"]
}

// dying says that fewer codes are used than before.
func dying(f *method.Figures) bool {
	now, before := used(f)
	if SectionOf(f.Config).Reseed {
		return now < leastReseeded*before
	}
	return now < leastUse*before
}

// trend is learning once the reconstruction is clearly better than at the start.
func trend(f *method.Figures) method.Trend {
	start, known := f.Start["loss_reconstruction"]
	switch {
	case fewLeft(f) || dying(f):
		return method.TrendCollapsing
	case !known:
		return ""
	}
	return method.Below(f.Values["loss_reconstruction"], start)
}
