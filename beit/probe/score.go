package probe

import "slices"

// Score says how many pictures a probe got right, as fractions.
type Score struct {
	Top1     float64 `json:"top1"`
	Top5     float64 `json:"top5"`     // the class is among the min(5, classes) best
	Balanced float64 `json:"balanced"` // mean over classes of the fraction of their pictures that is right
}

// newScore judges predictions, for each picture its best classes, best first.
func newScore(best [][]int32, labels []int32, classes int) Score {
	right, of := make([]int, classes), make([]int, classes)
	var s Score
	for i, l := range labels {
		of[l]++
		if best[i][0] == l {
			right[l]++
			s.Top1++
		}
		if slices.Contains(best[i], l) {
			s.Top5++
		}
	}
	present := 0
	for c, n := range of {
		if n > 0 {
			present++
			s.Balanced += float64(right[c]) / float64(n)
		}
	}
	s.Top1 /= float64(len(labels))
	s.Top5 /= float64(len(labels))
	s.Balanced /= float64(present)
	return s
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
