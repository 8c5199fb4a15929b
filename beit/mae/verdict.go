package mae

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// verdict says how well masked patches are rebuilt, beside the baseline, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	first := fmt.Sprintf("Loss of masked pixels %.3f %s", v[keyPixels], on)
	if o.Val == nil {
		return []string{first + ".", "Without validation images that may be memory: data.val_fraction sets some aside, and gives a baseline."}
	}
	first += fmt.Sprintf("; mean-colour baseline %.3f.", v[keyMeanColour])
	second := "That is good: masked patches are rebuilt better than by their image's mean colour; a probe says what the features are worth."
	if method.Below(v[keyPixels], v[keyMeanColour]) != method.TrendLearning {
		second = "It has learned no more than the mean colour of an image: give it more epochs (train.epochs) or more images."
	}
	return []string{first, second}
}
