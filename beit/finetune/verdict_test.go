package finetune

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
	SectionOf(cfg).Model.Classes = 4
	measured := func(top1 float64) values { return values{"top1": top1, "best_top1": 0.9} }
	for name, c := range map[string]struct {
		train, val    values
		first, second string // parts of the sentences
	}{
		"good":     {values{"accuracy": 0.85}, measured(0.8), "Top-1 80.0 % on validation images, best 90.0 %; chance 25.0 % (one of 4 classes); on training images 85.0 %.", "is good"},
		"half":     {values{"accuracy": 0.6}, measured(0.5), "50.0 %", "less than half of the way"},
		"by heart": {values{"accuracy": 1}, measured(0.7), "70.0 %", "by heart"},
		"chance":   {values{"accuracy": 1}, measured(0.26), "26.0 %", "hardly above chance"},
		"mixed":    {values{"class_loss": 1}, measured(0.8), "(one of 4 classes).", "is good"},
		"EMA":      {nil, values{"top1": 0.8, "ema_top1": 0.26, "best_top1": 0.9}, "Top-1 26.0 %", "hardly above chance"},
		"training": {values{"accuracy": 0.8}, nil, "Top-1 80.0 % on training images, chance 25.0 % (one of 4 classes).", "Without validation images"},
	} {
		got := Method.Verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q, want %q and %q", name, got, c.first, c.second)
		}
	}
}
