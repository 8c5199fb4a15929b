package dino

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
)

// Collapse is near when the mean entropy of the teacher's outputs is within uniformShare of its maximum log K, or the entropy of their
// mean below constantShare of it.
const (
	uniformShare  = 0.99
	constantShare = 0.1
)

var symptoms = []method.Symptom{{
	Name: "collapse",
	// Outputs may be uniform in the first steps, but no longer over an epoch.
	Seen: func(f *method.Figures) bool { return (f.Epoch || f.Validation) && collapsed(f.Values, most(f.Config)) },
	Text: func(f *method.Figures) string {
		return fmt.Sprintf("the teacher's outputs are collapsing: their entropy is %.3f nat and that of their mean %.3f, of at most %.3f "+
			"(see dino.model.teacher_temp and train.lr)", f.Values["teacher_entropy"], f.Values["mean_entropy"], most(f.Config))
	},
}}

// most is the greatest entropy that outputs can have.
func most(c *config.Config) float64 { return math.Log(float64(SectionOf(c).Model.Outputs)) }

// collapsed says that the outputs, of at most so much entropy, are about the same for all images.
func collapsed(v map[string]float64, most float64) bool {
	return v["teacher_entropy"] >= uniformShare*most || v["mean_entropy"] <= constantShare*most
}

// trend is learning once the student is clearly nearer to the teacher than at the start.
func trend(f *method.Figures) method.Trend {
	start, known := f.Start["cross_entropy"]
	switch {
	case collapsed(f.Values, most(f.Config)):
		return method.TrendCollapsing
	case !known:
		return ""
	}
	return method.Below(f.Values["cross_entropy"], start)
}
