package method

import (
	"fmt"

	"github.com/gobeit/gobeit/beit/config"
)

// Outcome is what a finished run reached.
type Outcome struct {
	Config *config.Config
	Train  map[string]float64 // means over the steps of the last epoch
	Val    map[string]float64 // of the last validation; nil where nothing was validated
}

// Figures are those of the validation, or else of training; on says which.
func (o Outcome) Figures() (v map[string]float64, on string) {
	if o.Val == nil {
		return o.Train, "on training images"
	}
	return o.Val, "on validation images"
}

// Percent writes a fraction as "43.1 %".
func Percent(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }
