package segment

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// What a segmenter is told apart by: mIoU beside that of one class everywhere.
const (
	hardlyAbove = 1.5
	good        = 0.5
)

// verdict says how well classes are found, beside guessing one class everywhere, and whether that is good.
func verdict(o method.Outcome) []string {
	classes := float64(max(SectionOf(o.Config).Model.Classes, 1))
	if o.Val == nil {
		return []string{
			fmt.Sprintf("Cross-entropy of pixels %.3f nat on training images.", o.Train[keyDecode]),
			"Without validation images that may be memory: data.val_fraction sets some aside.",
		}
	}
	iou := o.Val[keyMeanIoU]
	first := fmt.Sprintf("mIoU %s, pixel accuracy %s on validation images, best mIoU %s; one class everywhere has a mIoU of at most %s.", method.Percent(iou),
		method.Percent(o.Val[keyPixelAcc]), method.Percent(o.Val[keyBest]), method.Percent(1/classes))
	second := "That is above one class everywhere, and less than half: more steps, images or a pretrained --init-from help."
	switch {
	case iou < hardlyAbove/classes:
		second = "That is hardly above one class everywhere: are the masks right? Otherwise give it more epochs (train.epochs), or a pretrained --init-from."
	case iou > good:
		second = "That is good: more than half of what is marked or found of a class is both, in the mean of classes."
	}
	return []string{first, second}
}
