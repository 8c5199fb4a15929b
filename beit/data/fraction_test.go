package data

import (
	"math"
	"testing"
)

func TestFraction(t *testing.T) {
	ds := labelled{counts: []int{100, 7, 0, 30}}
	small, err := Fraction(ds, 0.1, 5)
	if err != nil {
		t.Fatal(err)
	}
	large, err := Fraction(ds, 0.5, 5)
	if err != nil {
		t.Fatal(err)
	}
	count := func(d Dataset) (n [4]int) {
		for i := range d.Len() {
			n[d.Label(i)]++
		}
		return n
	}
	if got := count(small); got != [4]int{10, 1, 0, 3} {
		t.Errorf("a tenth has %v images of each class", got)
	}
	if got := count(large); got != [4]int{50, 4, 0, 15} {
		t.Errorf("half has %v images of each class", got)
	}
	in := map[string]bool{}
	for i := range large.Len() {
		in[large.Name(i)] = true
	}
	for i := range small.Len() {
		if !in[small.Name(i)] {
			t.Errorf("%s is in a tenth and not in half", small.Name(i))
		}
	}
	for _, bad := range []float64{0, -1, 1.5, math.NaN()} {
		if _, err := Fraction(ds, bad, 5); err == nil {
			t.Errorf("share %g: no error", bad)
		}
	}
	if _, err := Fraction(labelled{}, 0.5, 5); err == nil {
		t.Error("images without labels: no error")
	}
}

// labelled has counts[c] images of class c, which cannot be read.
type labelled struct {
	Dataset
	counts []int
}

func (l labelled) Len() (n int) {
	for _, c := range l.counts {
		n += c
	}
	return n
}

func (l labelled) Name(i int) string { return string(rune('A' + i)) }

func (l labelled) Label(i int) int {
	for c, n := range l.counts {
		if i < n {
			return c
		}
		i -= n
	}
	return -1
}

func (l labelled) Classes() []string { return []string{"a", "b", "c", "d"}[:len(l.counts)] }
