package pretrain

import (
	"cmp"
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
)

// hardlyLearned is a loss of features, 1 - cosine, above which nothing was learned; unrelated ones give 1.
const hardlyLearned = 0.9

// clearly is how much lower a loss of features must be than that of a control.
const clearly = 0.005

// verdict says how well masked patches are predicted, beside chance and baselines, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	s := SectionOf(o.Config)
	if kind, _ := target.Find(s.Target); !kind.Codes {
		return featureVerdict(v, on)
	}
	first := fmt.Sprintf("MIM loss %.2f and MIM accuracy %s %s; chance %s (one of %d codes)", v["loss_mim"], method.Percent(v["acc_mim"]), on,
		method.Percent(1/float64(s.Model.Vocab)), s.Model.Vocab)
	if o.Val == nil {
		return []string{first + ".", "Without validation images that may be memory: data.val_fraction sets some aside, and gives baselines."}
	}
	first += fmt.Sprintf(", unigram entropy %.2f, nearest-patch baseline %s.", v[target.KeyEntropy], method.Percent(v[target.KeyNearest]))
	return []string{first, cmp.Or(CodesTrouble(v), "That is good: it beats the copy of the nearest visible patch.")}
}

// CodesTrouble says what predictions of codes fall short of, by the figures of a validation: how often each code occurs, and the copy of the nearest visible
// patch. It is empty where they are ahead of both. Methods whose metrics have the names of this package's share it.
func CodesTrouble(v map[string]float64) string {
	switch {
	case v["loss_mim"] >= v[target.KeyEntropy]:
		return "It has learned no more than how often each code occurs: give it more epochs (train.epochs) or more images."
	case v["acc_mim"] <= v[target.KeyNearest]:
		return "It beats chance, and not yet the copy of the nearest visible patch: give it more epochs (train.epochs) or more images."
	}
	return ""
}

// featureVerdict is that of a backbone which predicts features.
func featureVerdict(v map[string]float64, on string) []string {
	first := fmt.Sprintf("MIM loss %.3f %s, where 0 is the teacher's features and 1 is unrelated to them", v["loss_mim"], on)
	shuffled, known := v["loss_cls_shuffled"]
	if known {
		first += fmt.Sprintf("; patch-aggregation loss %.3f, shuffled-[CLS] control %.3f", v["loss_aggregation"], shuffled)
	}
	second := "Masked patches are predicted better than by chance; a probe says what the features are worth."
	switch {
	case v["loss_mim"] > hardlyLearned:
		second = "It has hardly learned the teacher's features yet: give it more epochs (train.epochs) or more images."
	case known && v["loss_aggregation"] < shuffled-clearly:
		second = "That is good: masked patches are predicted better than by chance, and the class token knows its own image."
	}
	return []string{first + ".", second}
}
