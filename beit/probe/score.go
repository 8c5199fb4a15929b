package probe

import (
	"slices"

	"github.com/gobeit/gobeit/nn/dist"
)

// Score is the accuracy of a probe, as fractions.
type Score struct {
	Top1          float64 `json:"top1"`
	Top5          float64 `json:"top5"`           // the label is among the min(5, classes) best classes; for k-NN among the min(5, k, classes) best
	MacroAccuracy float64 `json:"macro_accuracy"` // mean of the accuracies of the classes
}

// Tally accumulates the accuracy of a classifier.
type Tally struct {
	right, of  []int // correct predictions and images of each class
	top1, top5 int
}

// NewTally returns a Tally for the given number of classes.
func NewTally(classes int) *Tally {
	return &Tally{right: make([]int, classes), of: make([]int, classes)}
}

// Add adds the scores of an image, one for each class, and its label, and says whether the best class is right. Among equal scores the first class
// is the better one.
func (t *Tally) Add(scores []float32, label int32) (right bool) {
	return t.add(bestClasses(scores), label)
}

// add adds the best classes of an image, best first, and its label.
func (t *Tally) add(best []int32, label int32) (right bool) {
	t.of[label]++
	if right = best[0] == label; right {
		t.right[label]++
		t.top1++
	}
	if slices.Contains(best, label) {
		t.top5++
	}
	return right
}

// Score returns the accuracy. It is 0 without images.
func (t *Tally) Score() (s Score) {
	images, present := 0, 0
	for c, n := range t.of {
		if n > 0 {
			images += n
			present++
			s.MacroAccuracy += float64(t.right[c]) / float64(n)
		}
	}
	if images == 0 {
		return Score{}
	}
	s.Top1, s.Top5 = float64(t.top1)/float64(images), float64(t.top5)/float64(images)
	s.MacroAccuracy /= float64(present)
	return s
}

// Reduce adds up the tallies of all members of g.
func (t *Tally) Reduce(g dist.Group) error {
	n := len(t.of)
	all := make([]int64, 2*n+2)
	for i := range n {
		all[i], all[n+i] = int64(t.right[i]), int64(t.of[i])
	}
	all[2*n], all[2*n+1] = int64(t.top1), int64(t.top5)
	if err := g.AllReduceInt64(all); err != nil {
		return err
	}
	for i := range n {
		t.right[i], t.of[i] = int(all[i]), int(all[n+i])
	}
	t.top1, t.top5 = int(all[2*n]), int(all[2*n+1])
	return nil
}

// newScore returns the accuracy of predictions, the best classes of each image, best first.
func newScore(best [][]int32, labels []int32, classes int) Score {
	t := NewTally(classes)
	for i, l := range labels {
		t.add(best[i], l)
	}
	return t.Score()
}

// meanScore returns the mean of several scores.
func meanScore(all []Score) Score {
	var s Score
	n := float64(len(all))
	for _, a := range all {
		s.Top1 += a.Top1 / n
		s.Top5 += a.Top5 / n
		s.MacroAccuracy += a.MacroAccuracy / n
	}
	return s
}

// bestClasses returns the min(5, classes) classes with the highest scores, best first. On ties the lowest class comes first.
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
