package method

import "github.com/gobeit/gobeit/beit/config"

// Symptom is a sign in the records of a run that something is wrong with it. The first record that shows it gives a warning.
type Symptom struct {
	Name string                  // tells symptoms apart; one of a run is told once
	Seen func(f *Figures) bool   // in a record
	Text func(f *Figures) string // what is seen, and what to do
	// Diverged says that a run whose last epoch or last validation shows the symptom has diverged.
	Diverged bool
	Milder   []string // names of symptoms that nobody needs to be told of after this one
}

// Figures are those of a record, beside those of the records before.
type Figures struct {
	Config     *config.Config
	Validation bool               // on validation images; else means over steps of training
	Epoch      bool               // over those of a whole epoch
	Images     int                // of training since the last record of the kind
	Values     map[string]float64 // of the record
	Start      map[string]float64 // the first value of each key in records of training
	Most       map[string]float64 // the greatest value of each key so far, in records of the kind
}

// Trend is one word on what a run learns, for images without labels.
type Trend string

// The words. An empty Trend says nothing.
const (
	TrendLearning   Trend = "learning"
	TrendNotYet     Trend = "not yet"
	TrendCollapsing Trend = "collapsing"
)

// learntShare is the part of a baseline's loss below which a loss says that something was learned. Losses of a few thousand patches differ
// by about a hundredth from one choice of images to another.
const learntShare = 0.98

// Below is TrendLearning for a loss that is clearly below a baseline's, else TrendNotYet.
func Below(loss, baseline float64) Trend {
	if loss < learntShare*baseline {
		return TrendLearning
	}
	return TrendNotYet
}
