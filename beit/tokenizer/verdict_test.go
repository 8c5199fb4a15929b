package tokenizer

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

// The verdict has the figures beside what they are to be compared with, and says whether they are good.
func TestVerdict(t *testing.T) {
	type values = map[string]float64
	cfg := traintest.Tiny(t, Method) // with 32 codes
	for name, c := range map[string]struct {
		train, val    values
		first, second string // parts of the sentences
	}{
		"good":      {nil, values{"loss_reconstruction": 0.4, "codes_used": 30, "perplexity": 20}, "loss 0.400 on validation images, where 0 is the teacher's features and 1 is unrelated to them; 30 of 32 codes used, perplexity 20.0.", "is good"},
		"chance":    {nil, values{"loss_reconstruction": 0.95, "codes_used": 30, "perplexity": 20}, "0.950", "hardly learned"},
		"collapsed": {nil, values{"loss_reconstruction": 0.4, "codes_used": 1, "perplexity": 1}, "1 of 32 codes used", "One code is left"},
		"idle":      {nil, values{"loss_reconstruction": 0.4, "codes_used": 15, "perplexity": 14}, "15 of 32", "Most codes are idle"},
		"uneven":    {nil, values{"loss_reconstruction": 0.4, "codes_used": 30, "perplexity": 7}, "perplexity 7.0", "A few codes stand for most patches"},
		"pixels":    {nil, values{"loss_reconstruction": 0.9, "loss_pixels": 0.1, "loss_mean_colour": 0.3, "codes_used": 30, "perplexity": 20}, "Mean square error of rebuilt pixels 0.100 on validation images, mean-colour baseline 0.300; 30 of 32 codes used", "is good"},
		"colours":   {nil, values{"loss_reconstruction": 0.9, "loss_pixels": 0.3, "loss_mean_colour": 0.3, "codes_used": 30, "perplexity": 20}, "0.300", "hardly learned more than the mean colour"},
		"training":  {values{"loss_reconstruction": 0.4, "codes_unused": 2}, nil, "on training images, where 0 is the teacher's features and 1 is unrelated to them; 30 of 32 codes used.", "is good"},
	} {
		got := Method.Verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q, want %q and %q", name, got, c.first, c.second)
		}
	}
}
