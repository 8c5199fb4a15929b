package finetune

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// What a classifier is told apart by: parts of the way from chance to all images right, and how much better training images may do.
const (
	hardlyAbove = 0.05
	halfWay     = 0.5
	byHeart     = 0.2
)

// verdict says how many images are right, beside chance, and whether that is good.
func verdict(o method.Outcome) []string {
	classes := SectionOf(o.Config).Model.Classes
	chance := 1 / float64(classes)
	learned, known := o.Train["accuracy"] // not where images are mixed
	if o.Val == nil {
		first := fmt.Sprintf("Cross-entropy %.3f nat on training images", o.Train["class_loss"])
		if known {
			first = fmt.Sprintf("Top-1 %s on training images, chance %s (one of %d classes)", method.Percent(learned), method.Percent(chance), classes)
		}
		return []string{first + ".", "Without validation images that may be memory: data.val_fraction sets some aside."}
	}
	top := o.Val["top1"]
	if ema, ok := o.Val["ema_top1"]; ok { // which is the model
		top = ema
	}
	first := fmt.Sprintf("Top-1 %s on validation images, best %s; chance %s (one of %d classes)", method.Percent(top), method.Percent(o.Val["best_top1"]),
		method.Percent(chance), classes)
	if known {
		first += fmt.Sprintf("; on training images %s", method.Percent(learned))
	}
	second := "That is good: well over half of the way from chance to all images right."
	switch part := (top - chance) / (1 - chance); {
	case part < hardlyAbove:
		second = "That is hardly above chance: are the labels right? Otherwise give it more epochs (train.epochs), or a pretrained --init-from."
	case known && learned-top > byHeart:
		second = "It knows the training images by heart: more labels or a pretrained --init-from help, more epochs do not."
	case part < halfWay:
		second = "That is above chance, and less than half of the way to all images right: more epochs, labels or a pretrained --init-from help."
	}
	return []string{first + ".", second}
}
