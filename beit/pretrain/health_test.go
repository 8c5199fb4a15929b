package pretrain

import (
	"testing"

	"github.com/gobeit/gobeit/beit/method"
)

// A backbone learns once it is better than the frequencies of codes and than the nearest patch.
func TestTrend(t *testing.T) {
	type values = map[string]float64
	for _, c := range []struct {
		name string
		now  values
		want method.Trend
	}{
		{"better than both", values{"loss_mim": 4.5, "unigram_entropy": 5, "acc_mim": 0.1, "acc_nearest_patch": 0.05, "perplexity": 150}, method.TrendLearning},
		{"no better than frequencies", values{"loss_mim": 4.95, "unigram_entropy": 5, "acc_mim": 0.1, "acc_nearest_patch": 0.05, "perplexity": 150}, method.TrendNotYet},
		{"worse than the nearest patch", values{"loss_mim": 4.5, "unigram_entropy": 5, "acc_mim": 0.04, "acc_nearest_patch": 0.05, "perplexity": 150}, method.TrendNotYet},
		{"few codes", values{"loss_mim": 0.5, "unigram_entropy": 1, "acc_mim": 0.9, "acc_nearest_patch": 0.05, "perplexity": 2.7}, method.TrendCollapsing},
		{"features", values{"loss_mim": 0.7}, method.TrendLearning},
		{"features at the start", values{"loss_mim": 0.99}, method.TrendNotYet},
	} {
		f := &method.Figures{Values: c.now, Start: values{"loss_mim": 1}}
		if got := trend(f); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if few := c.want == method.TrendCollapsing; symptoms[0].Seen(f) != few {
			t.Errorf("%s: the warning about codes is %v", c.name, !few)
		}
	}
	if got := trend(&method.Figures{Values: values{"loss_mim": 0.7}}); got != "" {
		t.Errorf("nothing to compare features with: %q", got)
	}
}
