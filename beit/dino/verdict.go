package dino

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// clearShare is the part of log K by which the entropy of the mean output is above that of outputs where images are clearly told apart.
const clearShare = 0.1

// verdict says how far outputs differ between images, and whether that is good.
func verdict(o method.Outcome) []string {
	v, on := o.Figures()
	limit, each, mean := most(o.Config), v["teacher_entropy"], v["mean_entropy"]
	first := fmt.Sprintf("Cross-entropy %.2f, entropy of outputs %.2f and of the mean output %.2f %s; chance is %.2f (%d outputs).",
		v["cross_entropy"], each, mean, on, limit, SectionOf(o.Config).Model.Outputs)
	second := "That is good: outputs are sharp, and differ between images; a probe says what the features are worth."
	switch {
	case collapsed(v, limit):
		second = "The outputs have collapsed, and are the same for all images: begin again with a lower train.lr or dino.model.teacher_temp."
	case mean-each < clearShare*limit:
		second = "Outputs hardly differ between images yet: give it more epochs (train.epochs) or more images."
	}
	return []string{first, second}
}
