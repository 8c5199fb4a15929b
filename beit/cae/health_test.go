package cae

import (
	"math"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/beit/target"
	"github.com/gobeit/gobeit/tensor"
)

type values = map[string]float64

// Target latents that told patches apart and do no more give a warning, and so do codes that are nearly all the same.
func TestSymptoms(t *testing.T) {
	for name, c := range map[string]struct {
		validation              bool
		spread, top, perplexity float64
		want                    string
	}{
		"sound": {true, 0.5, 0.6, 20, ""}, "constant": {true, 0.01, 0.6, 20, "constant latents"}, "training": {false, 0.01, 0.6, 20, ""},
		"young": {true, 0.01, 0.01, 20, ""}, "few codes": {true, 0.5, 0.6, 1.5, "nothing to predict"},
	} {
		f := &method.Figures{Validation: c.validation, Values: values{keyMeanLatent: c.spread, target.KeyPerplexity: c.perplexity}, Most: values{keyMeanLatent: c.top}}
		var seen []string
		for _, s := range Method.Symptoms {
			if s.Seen(f) {
				seen = append(seen, s.Name)
				if text := s.Text(f); !strings.Contains(text, "train") {
					t.Errorf("%s: %s", name, text)
				}
			}
		}
		if got := strings.Join(seen, ", "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for loss, want := range map[float64]method.Trend{1: method.TrendLearning, 2.99: method.TrendNotYet} {
		f := &method.Figures{Values: values{keyCodes: loss, target.KeyEntropy: 3, target.KeyPerplexity: 20, keyAccuracy: 0.5, target.KeyNearest: 0.2}}
		if got := Method.Trend(f); got != want {
			t.Errorf("loss %g: %q", loss, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	cfg := traintest.Tiny(t, Method)
	val := func(codes, accuracy, latents float64) values {
		return values{keyCodes: codes, keyAccuracy: accuracy, keyLatents: latents, target.KeyEntropy: 3, target.KeyNearest: 0.2, keyMeanLatent: 0.4}
	}
	for name, c := range map[string]struct {
		train, val    values
		first, second string
	}{
		"good":      {nil, val(1, 0.5, 0.1), "Cross-entropy 1.00 and accuracy 50.0 % of codes on validation images; chance 0.2 % (one of 512 codes)", "is good"},
		"frequency": {nil, val(3, 0.5, 0.1), "unigram entropy 3.00", "how often each code occurs"},
		"copy":      {nil, val(1, 0.2, 0.1), "nearest-patch baseline 20.0 %", "not yet the copy"},
		"latents":   {nil, val(1, 0.5, 0.4), "loss of latents 0.400, image-mean baseline 0.400.", "does not yet know the latents"},
		"training":  {val(1, 0.5, 0.1), nil, "on training images", "Without validation images"},
	} {
		got := verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Two images of two patches with latents of two numbers, worked out by hand.
func TestSpread(t *testing.T) {
	// The first image's means are 2 and 6, the second's 1 and 5.
	if got, want := spread([]float32{1, 3, 3, 9, 0, 5, 2, 5}, tensor.Shape{2, 2, 2}), (1.+9+1+9+1+0+1+0)/8; math.Abs(got-want) > 1e-12 {
		t.Errorf("spread %g, want %g", got, want)
	}
}
