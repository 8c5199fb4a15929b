package dino

import (
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

// The verdict has the figures beside what they are to be compared with, and says whether they are good.
func TestVerdict(t *testing.T) {
	type values = map[string]float64
	cfg := traintest.Tiny(t, Method)
	SectionOf(cfg).Model.Outputs = 1024 // whose logarithm is 6.93
	measured := func(each, mean float64) values {
		return values{"cross_entropy": 2, "teacher_entropy": each, "mean_entropy": mean}
	}
	for name, c := range map[string]struct {
		train, val    values
		first, second string // parts of the sentences
	}{
		"good":     {nil, measured(2, 6), "Cross-entropy 2.00, entropy of outputs 2.00 and of the mean output 6.00 on validation images; chance is 6.93 (1024 outputs).", "is good"},
		"uniform":  {measured(6.9, 6.92), nil, "on training images", "have collapsed"},
		"constant": {nil, measured(0.1, 0.5), "0.50", "have collapsed"},
		"alike":    {nil, measured(3, 3.5), "3.50", "hardly differ"},
	} {
		got := Method.Verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q, want %q and %q", name, got, c.first, c.second)
		}
	}
}
