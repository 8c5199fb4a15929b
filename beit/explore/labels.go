package explore

import (
	"cmp"
	"fmt"
	"slices"
)

// Suspect is an image whose neighbours have another label.
type Suspect struct {
	Image            int
	Label, Suggested int     // that it has, and that of its neighbours
	Own, Votes       float64 // parts of the neighbours with either
}

// Suspects finds labels that are probably wrong, the most probable first, and the part of the images whose neighbours agree with their label (k-NN
// accuracy, each image against all others). The k nearest that have a label vote. Labels are numbers from 0, or negative for none. left says which neighbours have no vote: copies.
//
// A label is suspect where more than half of the votes are for another class, and no fewer than are usual among images of that class (confident
// learning: Northcutt, Jiang, Chuang 2021).
func Suspects(near Neighbours, k int, labels []int, classes int, left func(i, j int) bool) (list []Suspect, agreement float64) {
	if len(near.Index) != len(labels)*near.K {
		panic(fmt.Sprintf("explore: Suspects: %d neighbours of %d labels", len(near.Index), len(labels)))
	}
	shares := make([][]float64, len(labels)) // nil: unlabelled, or nobody votes
	usual, count := make([]float64, classes), make([]float64, classes)
	for i, own := range labels {
		if own < 0 {
			continue
		}
		if shares[i] = votes(i, near, k, labels, classes, left); shares[i] != nil {
			usual[own] += shares[i][own]
			count[own]++
		}
	}
	right, all := 0, 0
	for i, own := range labels {
		if shares[i] == nil {
			continue
		}
		all++
		best := bestClass(shares[i], own)
		if best == own {
			right++
		} else if shares[i][best] > 0.5 && shares[i][best] >= usual[best]/max(count[best], 1) {
			list = append(list, Suspect{i, own, best, shares[i][own], shares[i][best]})
		}
	}
	slices.SortStableFunc(list, func(a, b Suspect) int { return cmp.Compare(b.Votes-b.Own, a.Votes-a.Own) })
	return list, float64(right) / float64(max(all, 1))
}

// votes are the parts of image i's k nearest labelled neighbours that have each label, nil where none has one.
func votes(i int, near Neighbours, k int, labels []int, classes int, left func(i, j int) bool) []float64 {
	share, count := make([]float64, classes), 0
	index, _ := near.Of(i)
	for _, j := range index {
		if count < k && labels[j] >= 0 && !left(i, int(j)) {
			share[labels[j]]++
			count++
		}
	}
	if count == 0 {
		return nil
	}
	for c := range share {
		share[c] /= float64(count)
	}
	return share
}

// bestClass is the class with most votes: of equal ones own, or else the first.
func bestClass(share []float64, own int) int {
	best := own
	for c, s := range share {
		if s > share[best] {
			best = c
		}
	}
	return best
}
