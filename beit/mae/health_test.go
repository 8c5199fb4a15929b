package mae

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

type values = map[string]float64

// Predictions that were different and have become the same give a warning; those of a young run do not.
func TestSymptoms(t *testing.T) {
	for name, c := range map[string]struct {
		validation  bool
		spread, top float64
		want        bool
	}{
		"sound": {true, 0.5, 0.6, false}, "young": {true, 0.01, 0.01, false}, "constant": {true, 0.001, 0.6, true}, "training": {false, 0.001, 0.6, false},
	} {
		f := &method.Figures{Validation: c.validation, Values: values{keyMeanColour: 1, keySpread: c.spread}, Most: values{keySpread: c.top}}
		if got := symptoms[0].Seen(f); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if text := symptoms[0].Text(f); !strings.Contains(text, "train.lr") {
			t.Errorf("%s: %s", name, text)
		}
	}
	for loss, want := range map[float64]method.Trend{0.5: method.TrendLearning, 0.99: method.TrendNotYet} {
		if got := trend(&method.Figures{Values: values{keyPixels: loss, keyMeanColour: 1}}); got != want {
			t.Errorf("loss %g: %q", loss, got)
		}
	}
	if got := trend(&method.Figures{Values: values{keyPixels: 1}}); got != "" {
		t.Errorf("without a validation: %q", got)
	}
}

func TestVerdict(t *testing.T) {
	cfg := traintest.Tiny(t, Method)
	for name, c := range map[string]struct {
		train, val    values
		first, second string
	}{
		"good":     {nil, values{keyPixels: 0.5, keyMeanColour: 0.9}, "Loss of masked pixels 0.500 on validation images; mean-colour baseline 0.900.", "is good"},
		"baseline": {nil, values{keyPixels: 0.9, keyMeanColour: 0.9}, "0.900 on", "no more than the mean colour"},
		"training": {values{keyPixels: 0.5}, nil, "on training images.", "Without validation images"},
	} {
		got := verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Two images of two patches of two pixels of one channel, worked out by hand.
func TestBaseline(t *testing.T) {
	target := []float32{1, 3, 4, 8, 0, 2, 5, 5}
	k := ByNoise([]float64{0, 1, 1, 0}, 2, 1) // visible are patch 0 of the first image and patch 1 of the second
	if got, want := meanColour(target, k, 1), (4.+36+25+9)/4; got != want {
		t.Errorf("mean colour: %g, want %g", got, want)
	}
	// Masked are (4, 8) and (0, 2): means 2 and 5.
	if got, want := spread(target, k), (4.+9+4+9)/4; math.Abs(got-want) > 1e-12 {
		t.Errorf("spread: %g, want %g", got, want)
	}
}
