package experiment

import (
	"math"
	"slices"
	"testing"
)

// exact is the percentile interval over all resamples of a small table, each as likely as the others.
func exact(table [][]int) (low, high float64) {
	images, seeds := len(table), len(table[0])
	var means []float64
	for draw := range int(math.Pow(float64(images), float64(images))) {
		for seedDraw := range int(math.Pow(float64(seeds), float64(seeds))) {
			sum := 0
			for i, rest := 0, draw; i < images; i, rest = i+1, rest/images {
				for s, left := 0, seedDraw; s < seeds; s, left = s+1, left/seeds {
					sum += table[rest%images][left%seeds]
				}
			}
			means = append(means, float64(sum)/float64(images*seeds))
		}
	}
	slices.Sort(means)
	return means[int(math.Ceil(0.025*float64(len(means))))-1], means[int(math.Ceil(0.975*float64(len(means))))-1]
}

// Intervals of small tables are those of all resamples that there can be. The tables are such that no mean ends just where a tail does.
func TestBootstrap(t *testing.T) {
	for _, table := range [][][]int{
		{{1}, {0}, {0}, {-1}},
		{{1, 0}, {1, 1}, {0, -1}, {1, 1}, {0, 1}},
		{{1, 0, -1}, {0, 0, 1}, {1, 1, 1}, {1, 0, 0}},
		{{1, 1}, {1, 1}, {1, 1}},
	} {
		low, high := bootstrap(table)
		wantLow, wantHigh := exact(table)
		if math.Abs(low-wantLow) > 1e-12 || math.Abs(high-wantHigh) > 1e-12 {
			t.Errorf("%v: %g … %g, over all resamples %g … %g", table, low, high, wantLow, wantHigh)
		}
	}
	// One image right under one entry alone, one wrong: a resample of both has the mean 1, 0 or -1, a quarter, half and a quarter of them.
	if low, high := bootstrap([][]int{{1}, {-1}}); low != -1 || high != 1 {
		t.Errorf("of two images %g … %g", low, high)
	}
}

func TestDiffer(t *testing.T) {
	for _, c := range []struct {
		first, other []string
		mean         float64
		images       int
		verdict      string
	}{
		{[]string{"0000", "0000"}, []string{"1111", "1111"}, 1, 4, Better},
		{[]string{"1111"}, []string{"0000"}, -1, 4, Worse},
		{[]string{"0101"}, []string{"1010"}, 0, 4, NotResolved},
		{[]string{"0-000", "00000"}, []string{"11111", "111-1"}, 1, 3, Better},                     // what one run could not read is in no pair
		{[]string{"----"}, []string{"1111"}, 0, 0, NotResolved},                                    // nothing to compare
		{[]string{"0000", "1111"}, []string{"1111", "0000"}, 0, 4, NotResolved},                    // seeds that disagree
		{[]string{"00000000", "00000000"}, []string{"11000000", "11000000"}, 0.25, 8, NotResolved}, // which resamples without either image leave at 0
	} {
		d := differ(c.first, c.other)
		if d.Mean != c.mean || d.Images != c.images || d.Verdict != c.verdict || d.Low > d.Mean || d.High < d.Mean {
			t.Errorf("%v and %v: %+v", c.first, c.other, d)
		}
		back := differ(c.other, c.first)
		if back.Mean != -d.Mean || (d.Verdict == Better) != (back.Verdict == Worse) {
			t.Errorf("%v and %v the other way: %+v", c.first, c.other, back)
		}
	}
}
