package tokenizer

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// What a tokenizer is told apart by.
const (
	hardlyLearned = 0.9  // reconstruction; features that have nothing to do with the teacher's give 1
	goodUse       = 0.5  // of the codes, used on the images that were measured
	evenUse       = 0.25 // of the codes: the perplexity
)

// verdict says how well features are rebuilt, how many codes are in use, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	codes := SectionOf(o.Config).Model.Codes
	used, rec := v["codes_used"], v["loss_reconstruction"]
	if o.Val == nil {
		used = float64(codes) - v["codes_unused"]
	}
	first := fmt.Sprintf("Reconstruction loss %.3f %s, where 0 is the teacher's features and 1 is unrelated to them", rec, on)
	unlearned, what := rec > hardlyLearned, "the teacher's features"
	if pixels, known := v[keyPixels]; known {
		colour, validated := v[keyMeanColour]
		first = fmt.Sprintf("Mean square error of rebuilt pixels %.3f %s", pixels, on)
		if validated {
			first += fmt.Sprintf(", mean-colour baseline %.3f", colour)
		}
		unlearned, what = validated && method.Below(pixels, colour) != method.TrendLearning, "more than the mean colour of an image"
	}
	first += fmt.Sprintf("; %.0f of %d codes used", used, codes)
	perplexity, known := v["perplexity"]
	if known {
		first += fmt.Sprintf(", perplexity %.1f", perplexity)
	}
	second := "That is good: the decoder follows what it is to rebuild, and the codebook is in use."
	switch share := float64(codes); {
	case used < 2:
		second = "One code is left, the same for all patches: begin again with a lower train.lr."
	case unlearned:
		second = "It has hardly learned " + what + " yet: give it more epochs (train.epochs) or more images."
	case used < goodUse*share:
		second = "Most codes are idle: choose fewer of them (tokenizer.model.codes), or give it more images or epochs."
	case known && perplexity < evenUse*share:
		second = "A few codes stand for most patches: choose fewer codes (tokenizer.model.codes), or give it more images or epochs."
	}
	return []string{first + ".", second}
}
