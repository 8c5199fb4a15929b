package mae

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/method"
)

// leastSpread is the deviation of predictions, relative to the root of the baseline's loss, below which they are about the same for all patches.
const leastSpread = 0.02

// fallen is the part of its largest value so far below which the spread has fallen. In the first validations predictions are still small.
const fallen = 0.5

var symptoms = []method.Symptom{{
	Name: "constant predictions",
	Seen: func(f *method.Figures) bool {
		return f.Validation && constant(f.Values) && f.Values[keySpread] < fallen*f.Most[keySpread]
	},
	Text: func(f *method.Figures) string {
		return fmt.Sprintf("predictions have become about the same for all patches (deviation %.3g): lower train.lr", f.Values[keySpread])
	},
}}

// constant says that predictions are about the same for all patches.
func constant(v map[string]float64) bool {
	spread, known := v[keySpread]
	return known && spread*spread < leastSpread*leastSpread*v[keyMeanColour]
}

// trend is learning once the loss is clearly below that of the mean colour.
func trend(f *method.Figures) method.Trend {
	baseline, known := f.Values[keyMeanColour]
	if !known {
		return ""
	}
	return method.Below(f.Values[keyPixels], baseline)
}
