package probe

import "slices"

// Score says how many pictures a probe got right, as fractions.
type Score struct {
	Top1     float64 `json:"top1"`
	Top5     float64 `json:"top5"`     // the class is among the min(5, classes) best, of k neighbours among the min(5, k, classes) best
	Balanced float64 `json:"balanced"` // mean over classes of the fraction of their pictures that is right
}

// Tally counts what a classifier gets right, picture by picture.
type Tally struct {
	right, of  []int // of each class
	top1, top5 int
}

// NewTally counts for so many classes.
func NewTally(classes int) *Tally {
	return &Tally{right: make([]int, classes), of: make([]int, classes)}
}

// Add takes note of a picture's scores, one for each class, and its label. Among equal scores the first class is the better one.
func (t *Tally) Add(scores []float32, label int32) { t.add(bestClasses(scores), label) }

// add takes note of a picture's best classes, best first.
func (t *Tally) add(best []int32, label int32) {
	t.of[label]++
	if best[0] == label {
		t.right[label]++
		t.top1++
	}
	if slices.Contains(best, label) {
		t.top5++
	}
}

// Score is the result. Without a picture all its figures are 0.
func (t *Tally) Score() (s Score) {
	pictures, present := 0, 0
	for c, n := range t.of {
		if n > 0 {
			pictures += n
			present++
			s.Balanced += float64(t.right[c]) / float64(n)
		}
	}
	if pictures == 0 {
		return Score{}
	}
	s.Top1, s.Top5 = float64(t.top1)/float64(pictures), float64(t.top5)/float64(pictures)
	s.Balanced /= float64(present)
	return s
}

// newScore judges predictions, for each picture its best classes, best first.
func newScore(best [][]int32, labels []int32, classes int) Score {
	t := NewTally(classes)
	for i, l := range labels {
		t.add(best[i], l)
	}
	return t.Score()
}

// meanScore averages the scores of several seeds.
func meanScore(all []Score) Score {
	var s Score
	n := float64(len(all))
	for _, a := range all {
		s.Top1 += a.Top1 / n
		s.Top5 += a.Top5 / n
		s.Balanced += a.Balanced / n
	}
	return s
}

// bestClasses returns the min(5, classes) classes of the highest scores, best first, the lowest class on ties.
func bestClasses[T float32 | float64](scores []T) []int32 {
	order := make([]int32, 0, 6)
	for c, s := range scores {
		at := len(order)
		for at > 0 && scores[order[at-1]] < s {
			at--
		}
		if at < 5 {
			order = slices.Insert(order, at, int32(c))[:min(len(order)+1, 5)]
		}
	}
	return order
}
