package pretrain

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
	SectionOf(cfg).Model.Vocab = 50
	measured := func(loss, acc float64) values {
		return values{"loss_mim": loss, "acc_mim": acc, "unigram_entropy": 3, "acc_nearest_patch": 0.1}
	}
	for name, c := range map[string]struct {
		train, val    values
		first, second string // parts of the sentences
	}{
		"good":     {nil, measured(2, 0.2), "MIM loss 2.00 and MIM accuracy 20.0 % on validation images; chance 2.0 % (one of 50 codes), unigram entropy 3.00, nearest-patch baseline 10.0 %.", "is good"},
		"baseline": {nil, measured(2, 0.1), "MIM accuracy 10.0 %", "not yet the copy of the nearest"},
		"chance":   {nil, measured(3, 0.2), "MIM loss 3.00", "no more than how often each code occurs"},
		"training": {values{"loss_mim": 2, "acc_mim": 0.2}, nil, "on training images; chance 2.0 % (one of 50 codes).", "Without validation images"},
	} {
		got := Method.Verdict(method.Outcome{Config: cfg, Train: c.train, Val: c.val})
		if len(got) != 2 || !strings.Contains(got[0], c.first) || !strings.Contains(got[1], c.second) {
			t.Errorf("%s: %q, want %q and %q", name, got, c.first, c.second)
		}
	}
	SectionOf(cfg).Target = "features"
	for want, v := range map[string]values{
		"is good":        {"loss_mim": 0.5, "loss_aggregation": 0.5, "loss_cls_shuffled": 0.6},
		"better than by": {"loss_mim": 0.5, "loss_aggregation": 0.5, "loss_cls_shuffled": 0.5},
		"a probe says":   {"loss_mim": 0.5},
		"hardly learned": {"loss_mim": 0.95},
	} {
		got := Method.Verdict(method.Outcome{Config: cfg, Val: v})
		if _, shuffled := v["loss_cls_shuffled"]; !strings.Contains(got[1], want) || shuffled != strings.Contains(got[0], "shuffled-[CLS] control 0.") {
			t.Errorf("features: %q, want %q", got, want)
		}
	}
}
