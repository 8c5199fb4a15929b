package splitmask

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// verdict says how well each half tells the codes of the other, beside chance and baselines, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	vocab := SectionOf(o.Config).Model.Vocab
	first := fmt.Sprintf("MIM loss %.2f and MIM accuracy %s %s; chance %s (one of %d codes)", v[keyMIM], method.Percent(v[keyAccuracy]), on,
		method.Percent(1/float64(vocab)), vocab)
	if pairs, known := v[keyPairs]; known {
		first += fmt.Sprintf(", halves paired %s", method.Percent(pairs))
	}
	if o.Val == nil {
		return []string{first + ".", "Without validation images that may be memory: data.val_fraction sets some aside, and gives baselines."}
	}
	first += fmt.Sprintf(", unigram entropy %.2f, nearest-patch baseline %s.", v[keyEntropy], method.Percent(v[keyNearest]))
	second := "That is good: it beats the copy of the nearest patch of the other half."
	switch {
	case v[keyMIM] >= v[keyEntropy]:
		second = "It has learned no more than how often each code occurs: give it more epochs (train.epochs) or more images."
	case v[keyAccuracy] <= v[keyNearest]:
		second = "It beats chance, and not yet the copy of the nearest patch: give it more epochs (train.epochs) or more images."
	}
	return []string{first, second}
}
