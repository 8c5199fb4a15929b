package splitmask

import (
	"cmp"
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/pretrain"
	"github.com/gobeit/gobeit/beit/target"
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
	first += fmt.Sprintf(", unigram entropy %.2f, nearest-patch baseline %s.", v[target.KeyEntropy], method.Percent(v[target.KeyNearest]))
	return []string{first, cmp.Or(pretrain.CodesTrouble(v), "That is good: it beats the copy of the nearest patch of the other half.")}
}
