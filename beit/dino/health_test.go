package dino

import (
	"math"
	"testing"

	"github.com/gobeit/gobeit/beit/internal/traintest"
	"github.com/gobeit/gobeit/beit/method"
)

// Outputs that are the same for all images are collapse: all equally likely, or always the same one.
func TestTrend(t *testing.T) {
	c, most := traintest.Tiny(t, Method), math.Log(32)
	type values = map[string]float64
	for _, one := range []struct {
		name string
		now  values
		want method.Trend
	}{
		{"sound", values{"cross_entropy": 2, "teacher_entropy": 0.5 * most, "mean_entropy": 0.9 * most}, method.TrendLearning},
		{"at the start", values{"cross_entropy": 3.45, "teacher_entropy": 0.9 * most, "mean_entropy": 0.9 * most}, method.TrendNotYet},
		{"uniform", values{"cross_entropy": 2, "teacher_entropy": 0.995 * most, "mean_entropy": most}, method.TrendCollapsing},
		{"constant", values{"cross_entropy": 0.1, "teacher_entropy": 0.01, "mean_entropy": 0.05 * most}, method.TrendCollapsing},
	} {
		f := &method.Figures{Config: c, Validation: true, Values: one.now, Start: values{"cross_entropy": 3.5}}
		if got := trend(f); got != one.want {
			t.Errorf("%s: %q, want %q", one.name, got, one.want)
		}
		if ill := one.want == method.TrendCollapsing; symptoms[0].Seen(f) != ill {
			t.Errorf("%s: the warning is %v", one.name, !ill)
		}
	}
}
