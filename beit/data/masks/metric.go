package masks

import (
	"fmt"
	"math"
	"slices"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/dist"
)

// Metric counts the pixels of predicted and labelled classes over a set of images. Images are added one after the other, or counted apart and merged:
// the order does not matter.
type Metric struct {
	Images                     int
	Intersect, Predict, Labels []int64 // pixels of each class: right ones, predicted ones, labelled ones
	ignored                    int64
}

// NewMetric returns a metric of so many classes.
func NewMetric(classes int) *Metric {
	if classes < 1 || classes > data.MaxMaskClasses {
		panic(fmt.Sprintf("masks: NewMetric: %d classes", classes))
	}
	return &Metric{Intersect: make([]int64, classes), Predict: make([]int64, classes), Labels: make([]int64, classes)}
}

// Add counts the pixels of an image. predict holds a class for each of its pixels, in the order of label.Class. Pixels whose label is data.NoClass do not
// count. It panics when the lengths differ, or when a class is beyond those of the metric.
func (m *Metric) Add(predict []int32, label *data.Mask) {
	if len(predict) != len(label.Class) {
		panic(fmt.Sprintf("masks: Metric.Add: %d predictions for a mask of [%d %d]", len(predict), label.H, label.W))
	}
	classes := len(m.Labels)
	for i, l := range label.Class {
		if l == data.NoClass {
			m.ignored++
			continue
		}
		p := predict[i]
		if int(l) >= classes || p < 0 || int(p) >= classes {
			panic(fmt.Sprintf("masks: Metric.Add: prediction %d and label %d of %d classes", p, l, classes))
		}
		m.Labels[l]++
		m.Predict[p]++
		if int32(l) == p {
			m.Intersect[l]++
		}
	}
	m.Images++
}

// Merge adds what other counted. It panics when the numbers of classes differ.
func (m *Metric) Merge(other *Metric) {
	if len(m.Labels) != len(other.Labels) {
		panic(fmt.Sprintf("masks: Metric.Merge: %d and %d classes", len(m.Labels), len(other.Labels)))
	}
	for c := range m.Labels {
		m.Intersect[c] += other.Intersect[c]
		m.Predict[c] += other.Predict[c]
		m.Labels[c] += other.Labels[c]
	}
	m.Images += other.Images
	m.ignored += other.ignored
}

// Reduce merges what the other members of g counted. They have as many classes.
func (m *Metric) Reduce(g dist.Group) error {
	if g.Size() == 1 {
		return nil
	}
	all := slices.Concat(m.Intersect, m.Predict, m.Labels, []int64{int64(m.Images), m.ignored})
	if err := g.AllReduceInt64(all); err != nil {
		return err
	}
	k := len(m.Labels)
	copy(m.Intersect, all)
	copy(m.Predict, all[k:])
	copy(m.Labels, all[2*k:])
	m.Images, m.ignored = int(all[3*k]), all[3*k+1]
	return nil
}

// Scores are what a Metric says. Means leave out classes that are NaN.
type Scores struct {
	MeanIoU  float64   // of IoU
	MeanAcc  float64   // of Acc
	PixelAcc float64   // right pixels as a share of all labelled ones
	IoU      []float64 // right pixels of each class as a share of those labelled or predicted; NaN where there are none
	Acc      []float64 // right pixels of each class as a share of those labelled; NaN where there are none
	Pixels   []int64   // labelled ones of each class
	Ignored  int64     // pixels without a class
}

// Scores returns the scores of all images so far.
func (m *Metric) Scores() Scores {
	s := Scores{Pixels: append([]int64(nil), m.Labels...), Ignored: m.ignored}
	right, all := int64(0), int64(0)
	for c, n := range m.Intersect {
		s.IoU = append(s.IoU, share(n, m.Predict[c]+m.Labels[c]-n))
		s.Acc = append(s.Acc, share(n, m.Labels[c]))
		right, all = right+n, all+m.Labels[c]
	}
	s.MeanIoU, s.MeanAcc, s.PixelAcc = mean(s.IoU), mean(s.Acc), share(right, all)
	return s
}

// share is NaN where there is nothing to have a share of.
func share(part, all int64) float64 { return float64(part) / float64(all) }

// mean leaves out what is NaN; it is NaN where nothing is left.
func mean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}
