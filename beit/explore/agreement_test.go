package explore

import (
	"image"
	"math"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Codes that are the groups tell everything, and permuted ones nothing: their purity is about that of the largest group. The permutation keeps both counts.
func TestAgreement(t *testing.T) {
	g := newGroups(4, 3)
	for i := range 9000 {
		group := []int{0, 0, 0, 1, 1, 2}[i%6]
		g.add(int32(group), group)
	}
	p := g.measure(tensor.NewRand(1))
	if p.Codes != (Score{1, 1}) || p.Largest != 0.5 || math.Abs(p.Permuted.Purity-0.5) > 0.02 || p.Permuted.Information > 0.002 {
		t.Errorf("codes that are the groups: %+v", p)
	}
	codes, classes := make([]int, 4), make([]int, 3)
	for code, counts := range g.permuted([]int32{4500, 3000, 1500}, tensor.NewRand(2)).of {
		for group, n := range counts {
			codes[code] += int(n)
			classes[group] += int(n)
		}
	}
	if want := []int{4500, 3000, 1500}; !slices.Equal(codes, append(want, 0)) || !slices.Equal(classes, want) {
		t.Errorf("after the permutation codes have %v patches, groups %v", codes, classes)
	}
	g = newGroups(2, 2) // a code tells nothing
	for i := range 1000 {
		g.add(int32(i%2), i/2%2)
	}
	if p := g.measure(tensor.NewRand(1)); p.Codes.Purity != 0.5 || p.Codes.Information > 1e-12 || p.Largest != 0.5 {
		t.Errorf("of independent codes: %+v", p)
	}
	g = newGroups(2, 2) // code 0 has 3 of group 0 and 1 of group 1, code 1 has 4 of group 1
	for _, pair := range [][2]int{{0, 0}, {0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 1}} {
		g.add(int32(pair[0]), pair[1])
	}
	h := func(p float64) float64 { return -p*math.Log(p) - (1-p)*math.Log(1-p) }
	if s := g.score(); s.Purity != 7.0/8 || math.Abs(s.Information-(1-h(1.0/4)/2/h(3.0/8))) > 1e-12 {
		t.Errorf("of eight patches: %+v", s)
	}
}

// An urn gives each ball once, and the first one with a probability by its group's share.
func TestUrn(t *testing.T) {
	counts := []int32{0, 5, 1, 0, 10, 4, 0}
	first := make([]int, len(counts))
	for seed := range 2000 {
		u, r := newUrn(counts), tensor.NewRand(uint64(seed))
		drawn := make([]int32, len(counts))
		first[u.draw(r)]++
		u = newUrn(counts)
		for range 20 {
			drawn[u.draw(r)]++
		}
		if !slices.Equal(drawn, counts) {
			t.Fatalf("drew %v of %v", drawn, counts)
		}
	}
	for group, n := range first {
		if want := 2000 * float64(counts[group]) / 20; math.Abs(float64(n)-want) > 5*math.Sqrt(want) {
			t.Errorf("group %d was first %d times, want about %g", group, n, want)
		}
	}
}

// Each patch is kept with the same probability.
func TestKeepRandom(t *testing.T) {
	const trials, all, keep = 200, 100, 10
	early := 0
	for seed := range trials {
		g := &gatherer{opt: CodebookOptions{Random: keep}, random: tensor.NewRand(uint64(seed))}
		var c Code
		for i := range all {
			c.Patches++
			g.keepRandom(&c, Patch{Image: i})
		}
		for _, p := range c.Random {
			if p.Image < all/2 {
				early++
			}
		}
	}
	if want := trials * keep / 2.0; math.Abs(float64(early)-want) > 5*math.Sqrt(want/2) {
		t.Errorf("%d of %d kept patches are of the first half", early, trials*keep)
	}
}

func TestPartOf(t *testing.T) {
	m := &data.Mask{W: 4, H: 2, Class: []uint8{
		1, 1, 255, 255,
		2, 1, 255, 3,
	}}
	for box, want := range map[image.Rectangle]int{image.Rect(0, 0, 2, 2): 1, image.Rect(0, 1, 1, 2): 2, image.Rect(2, 0, 4, 2): -1} {
		if got := partOf(m, box); got != want {
			t.Errorf("%v: part %d, want %d", box, got, want)
		}
	}
}
