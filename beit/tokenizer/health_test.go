package tokenizer

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

// Each state of a codebook shows one symptom at most: below 70 % of the most codes so far, few that are left, or one.
func TestSymptoms(t *testing.T) {
	c := traintest.Tiny(t, Method, "tokenizer.model.codes=100", "tokenizer.reseed=false")
	type values = map[string]float64
	for _, one := range []struct {
		name        string
		now, before values // the greatest values of before; of an epoch the first ones
		want        string // in the text; empty: no symptom
		diverged    bool
	}{
		{"in use", values{"codes_used": 100, "perplexity": 80}, nil, "", false},
		{"70 of 100", values{"codes_used": 70, "perplexity": 50}, values{"codes_used": 100}, "", false},
		{"69 of 100", values{"codes_used": 69, "perplexity": 50}, values{"codes_used": 100}, "codes are dying: 69 of 100 codes are used, and once 100 were", false},
		{"over an epoch", values{"codes_unused": 40}, values{"codes_unused": 10}, "codes are dying: 60 of 100 codes are used, and once 90 were", false},
		{"over an epoch, slightly", values{"codes_unused": 30}, values{"codes_unused": 10}, "", false},
		{"few", values{"codes_used": 5, "perplexity": 3.9}, values{"codes_used": 100}, "few codes are left: their perplexity is 3.9, of at most 100", false},
		{"one and traces of others", values{"codes_used": 3, "perplexity": 1.1}, values{"codes_used": 100}, "one code is left", true},
		{"one", values{"codes_used": 1, "perplexity": 1}, nil, "one code is left", true},
		{"no figures", values{"loss": 1}, nil, "", false},
	} {
		f := &method.Figures{Config: c, Values: one.now, Most: one.before, Start: one.before}
		var texts []string
		for _, s := range symptoms {
			if s.Seen(f) {
				texts = append(texts, s.Text(f))
				if s.Diverged != one.diverged {
					t.Errorf("%s: diverged %v", one.name, s.Diverged)
				}
			}
		}
		text := strings.Join(texts, "\n")
		if len(texts) > 1 || (text == "") != (one.want == "") || !strings.HasPrefix(text, one.want) || text != "" && !strings.HasSuffix(text, "tokenizer.reseed=true") {
			t.Errorf("%s: %q, want %q and what to do", one.name, texts, one.want)
		}
	}
	again := traintest.Tiny(t, Method, "tokenizer.reseed=true")
	f := &method.Figures{Config: again, Values: values{"codes_used": 10}, Most: values{"codes_used": 32}}
	if text := symptoms[2].Text(f); strings.Contains(text, "reseed") {
		t.Errorf("who re-seeds already is told to: %q", text)
	}
	if f.Values["codes_used"] = 20; dying(f) {
		t.Error("20 of 32 codes, which re-seeding brings back, are called dying")
	}
}

// A small codebook is not called few codes.
func TestSmallCodebook(t *testing.T) {
	c := traintest.Tiny(t, Method, "tokenizer.model.codes=8")
	if fewLeft(&method.Figures{Config: c, Values: map[string]float64{"perplexity": 2}}) {
		t.Error("a perplexity of 2 is taken for few of 8 codes")
	}
}

func TestTrend(t *testing.T) {
	c := traintest.Tiny(t, Method)
	type values = map[string]float64
	start := values{"loss_reconstruction": 1}
	for want, now := range map[method.Trend]values{
		method.TrendLearning:   {"loss_reconstruction": 0.9, "perplexity": 20, "codes_used": 30},
		method.TrendNotYet:     {"loss_reconstruction": 0.99, "perplexity": 20, "codes_used": 30},
		method.TrendCollapsing: {"loss_reconstruction": 0.9, "perplexity": 3, "codes_used": 30},
	} {
		f := &method.Figures{Config: c, Values: now, Start: start, Most: values{"codes_used": 32}}
		if got := trend(f); got != want {
			t.Errorf("%v: %q, want %q", now, got, want)
		}
		if f.Most["codes_used"] = 61; trend(f) != method.TrendCollapsing {
			t.Errorf("%v, and once 61 codes: %q", now, trend(f))
		}
	}
}
