package train

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/config"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/run"
)

// ErrDiverged is for those who take a run that came to its end with Result.Diverged for a failure.
var ErrDiverged = errors.New("the run diverged")

// Thresholds of the symptoms of all methods.
const (
	farAbove     = 1.5  // times the loss at the start. No loss here rises by half in a run that learns; one that is clipped or bounded seldom doubles.
	starvedShare = 0.25 // of the time that was spent waiting for images
	starvedLeast = 10.0 // seconds of it; shorter ones come from the first batch alone
)

// symptoms are those of all methods; a method has its own in Method.Symptoms.
var symptoms = []method.Symptom{
	{
		Name: "loss above its start", Diverged: true,
		Seen: func(f *method.Figures) bool {
			start, known := f.Start[method.KeyLoss]
			return !f.Validation && known && start > 0 && f.Values[method.KeyLoss] > farAbove*start
		},
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("the loss is %.4g, far above the %.4g of the start; begin again with a lower train.lr, or with train.clip set",
				f.Values[method.KeyLoss], f.Start[method.KeyLoss])
		},
	},
	{
		Name: "not finite", Diverged: true,
		Seen: func(f *method.Figures) bool { return notFinite(f.Values) != "" },
		Text: func(f *method.Figures) string {
			key := notFinite(f.Values)
			where := "in training"
			if f.Validation {
				where = "on validation images"
			}
			return fmt.Sprintf("%s %s is %v; begin again with a lower train.lr, or with train.clip set",
				key, where, f.Values[key])
		},
	},
	{
		Name: "starved",
		Seen: func(f *method.Figures) bool {
			share := f.Values[method.KeyDataTime]
			return share > starvedShare && share*float64(f.Images) > starvedLeast*f.Values[method.KeySpeed]
		},
		Text: func(f *method.Figures) string {
			return fmt.Sprintf("%.0f %% of the time goes into waiting for images: beit pack writes them smaller, once; or set data.reduce=true, or a larger data.cache_mb",
				100*f.Values[method.KeyDataTime])
		},
	},
}

// notFinite is the first key, in order, whose value is not finite; empty: none.
func notFinite(v map[string]float64) (first string) {
	for key, x := range v {
		if (math.IsNaN(x) || math.IsInf(x, 0)) && (first == "" || key < first) {
			first = key
		}
	}
	return first
}

// health follows the records of a run.
type health struct {
	symptoms []method.Symptom
	trend    func(f *method.Figures) method.Trend
	cfg      *config.Config
	start    map[string]float64            // the first value of each key of training
	most     map[string]map[string]float64 // by kind and key
	step     map[string]int                // of the last record of each kind
	seen     map[string]bool               // symptoms, by name
	ill      map[string]string             // by kind, the text of a symptom of divergence that the last record shows
}

// newHealth follows a run of m from its beginning.
func newHealth(m *method.Method, cfg *config.Config) *health {
	return &health{
		symptoms: slices.Concat(symptoms, m.Symptoms), trend: m.Trend, cfg: cfg, start: map[string]float64{},
		most: map[string]map[string]float64{}, step: map[string]int{}, seen: map[string]bool{}, ill: map[string]string{},
	}
}

// add notes a record and returns the warnings that it gives.
func (h *health) add(rec run.Record) (warnings []string) {
	f := h.figures(rec)
	h.ill[rec.Kind] = ""
	for _, s := range h.symptoms {
		if !s.Seen(f) {
			continue
		}
		if s.Diverged {
			h.ill[rec.Kind] = s.Text(f)
		}
		if !h.seen[s.Name] {
			h.seen[s.Name] = true
			for _, name := range s.Milder {
				h.seen[name] = true
			}
			warnings = append(warnings, s.Text(f))
		}
	}
	return warnings
}

// figures puts a record beside those before it, of which it then is one.
func (h *health) figures(rec run.Record) *method.Figures {
	if h.most[rec.Kind] == nil {
		h.most[rec.Kind] = map[string]float64{}
	}
	f := &method.Figures{
		Config: h.cfg, Validation: rec.Kind == run.KindVal, Epoch: rec.Kind == run.KindEpoch, Images: (rec.Step - h.step[rec.Kind]) * h.cfg.Train.Batch,
		Values: rec.Values, Start: h.start, Most: h.most[rec.Kind],
	}
	h.step[rec.Kind] = rec.Step
	for key, x := range rec.Values {
		if _, known := h.start[key]; !known && !f.Validation && !math.IsNaN(x) {
			h.start[key] = x
		}
		if most, known := f.Most[key]; !known || x > most {
			f.Most[key] = x
		}
	}
	return f
}

// trendOf is the method's word on a validation that add was given; empty where it has none.
func (h *health) trendOf(rec run.Record) method.Trend {
	if h.trend == nil {
		return ""
	}
	return h.trend(&method.Figures{Config: h.cfg, Validation: true, Values: rec.Values, Start: h.start, Most: h.most[rec.Kind]})
}

// diverged says why a run diverged that ended with the records so far; empty: it did not.
func (h *health) diverged() string {
	if why := h.ill[run.KindVal]; why != "" {
		return why
	}
	return h.ill[run.KindEpoch]
}
