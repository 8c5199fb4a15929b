package experiment

import (
	"math"
	"slices"

	"github.com/gobeit/gobeit/tensor"
)

// Difference is that of an entry to the first one, in the share of validation images that are right.
//
// The interval is a bootstrap over images and seeds together: a resample draws as many images and as many seeds as there are, with replacement, and
// takes the mean difference over every drawn image under every drawn seed. Both entries see the same draws, so that what they have in common cancels.
// The ends are the percentile interval of Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 13.3: of B ordered resamples those
// number B·2.5 % and B·97.5 %. Resampling rows and columns of a table at once is Owen's pigeonhole bootstrap (Annals of Applied Statistics 1, 2007),
// which errs towards wider intervals. With few seeds an interval says little of other seeds; with one it speaks of images alone.
type Difference struct {
	Mean    float64 `json:"mean"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Images  int     `json:"images"` // that all runs of both entries could read
	Verdict string  `json:"verdict"`
}

// Verdicts. A difference is claimed where its interval does not contain 0.
const (
	Better      = "better"
	Worse       = "worse"
	NotResolved = "not resolved"
)

const (
	resamples        = 10000
	confidence       = 0.95
	streamBootstrap  = 0xb005
	seedOfBootstraps = 1
)

// Correctness of an image in a text with a letter for each.
const (
	isRight  = '1'
	isWrong  = '0'
	isUnread = '-'
)

// differ compares two entries by the correctness of each image under each seed. Images that a run could not read are left out.
func differ(first, other []string) Difference {
	var pairs [][]int // by image, then by seed: 1 where only the other is right, -1 where only the first is
	for i := range first[0] {
		row := make([]int, len(first))
		read := true
		for s := range first {
			a, b := first[s][i], other[s][i]
			read = read && a != isUnread && b != isUnread
			row[s] = int(b) - int(a)
		}
		if read {
			pairs = append(pairs, row)
		}
	}
	d := Difference{Images: len(pairs), Verdict: NotResolved}
	if len(pairs) == 0 {
		return d
	}
	for _, row := range pairs {
		for _, v := range row {
			d.Mean += float64(v)
		}
	}
	d.Mean /= float64(len(pairs) * len(first))
	d.Low, d.High = bootstrap(pairs)
	switch {
	case d.Low > 0:
		d.Verdict = Better
	case d.High < 0:
		d.Verdict = Worse
	}
	return d
}

// bootstrap is the percentile interval of the mean of a table of images by seeds, both of which are resampled.
func bootstrap(table [][]int) (low, high float64) {
	images, seeds := len(table), len(table[0])
	means := make([]float64, resamples)
	tensor.ParallelFor(resamples, func(b int) {
		r := tensor.NewRand(seedOfBootstraps, streamBootstrap, uint64(b))
		times := make([]int, seeds) // that a seed was drawn
		for range seeds {
			times[r.IntN(seeds)]++
		}
		sum := 0
		for range images {
			for s, v := range table[r.IntN(images)] {
				sum += times[s] * v
			}
		}
		means[b] = float64(sum) / float64(images*seeds)
	})
	slices.Sort(means)
	tail := int(math.Round(resamples * (1 - confidence) / 2))
	return means[tail-1], means[resamples-tail-1]
}
