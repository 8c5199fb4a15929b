package explore

import (
	"image"
	"math"
	"math/bits"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Agreement says how much codes tell of the groups of patches, such as the classes of their images, beside controls.
type Agreement struct {
	Codes    Score   `json:"codes"`
	Permuted Score   `json:"codes_permuted"` // after the codes were permuted over all patches
	Largest  float64 `json:"largest_group"`  // share of patches in it: the purity of a single code

	// LabelsPermuted is the score after the labels were permuted over images. It is above Permuted, because patches of one image tend to have the
	// same code. It is zero where groups are not classes of images.
	LabelsPermuted Score `json:"labels_permuted"`
}

// Score is how well codes tell groups.
type Score struct {
	Purity      float64 `json:"purity"`      // share of patches that are in the most frequent group of their code
	Information float64 `json:"information"` // mutual information of code and group, as a share of the entropy of groups
}

// groups counts patches by code and group.
type groups struct {
	count int       // of groups
	of    [][]int32 // [K][count]; nil for a code without patches
}

func newGroups(k, count int) *groups { return &groups{count, make([][]int32, k)} }

// add counts a patch. Negative groups are none.
func (g *groups) add(code int32, group int) {
	if group < 0 {
		return
	}
	if g.of[code] == nil {
		g.of[code] = make([]int32, g.count)
	}
	g.of[code][group]++
}

// addAll counts patches of one group.
func (g *groups) addAll(codes []int32, group int) {
	for _, k := range codes {
		g.add(k, group)
	}
}

// measure computes all but LabelsPermuted.
func (g *groups) measure(r *tensor.Rand) *Agreement {
	totals := g.totals()
	all, largest := 0, 0
	for _, n := range totals {
		all, largest = all+int(n), max(largest, int(n))
	}
	return &Agreement{Codes: g.score(), Permuted: g.permuted(totals, r).score(), Largest: float64(largest) / float64(max(all, 1))}
}

// totals are the patches of each group.
func (g *groups) totals() []int32 {
	totals := make([]int32, g.count)
	for _, counts := range g.of {
		for i, n := range counts {
			totals[i] += n
		}
	}
	return totals
}

// score compares the groups of each code with those of all patches.
func (g *groups) score() (s Score) {
	before, all := entropyOf(g.totals())
	if all == 0 {
		return s
	}
	after, pure := 0.0, 0 // entropy of groups for who knows the code; patches in the most frequent group of theirs
	for _, counts := range g.of {
		entropy, n := entropyOf(counts)
		after += entropy * n / all
		most := int32(0)
		for _, n := range counts {
			most = max(most, n)
		}
		pure += int(most)
	}
	s.Purity = float64(pure) / all
	if before > 0 {
		s.Information = max(1-after/before, 0)
	}
	return s
}

// entropyOf is the entropy of a distribution in nats, and the sum of its counts.
func entropyOf(counts []int32) (entropy, sum float64) {
	for _, n := range counts {
		sum += float64(n)
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / sum
			entropy -= p * math.Log(p)
		}
	}
	return entropy, sum
}

// permuted is what a random permutation of the codes over the patches gives: each patch draws its group from those of all, without replacement.
func (g *groups) permuted(totals []int32, r *tensor.Rand) *groups {
	left := newUrn(totals)
	p := newGroups(len(g.of), g.count)
	for code, counts := range g.of {
		for _, n := range counts {
			for range n {
				p.add(int32(code), left.draw(r))
			}
		}
	}
	return p
}

// urn holds balls of several groups. It is a Fenwick tree: node i has the sum of the i&-i counts that end with count i-1.
type urn struct {
	tree []int
	all  int
}

func newUrn(counts []int32) *urn {
	u := &urn{tree: make([]int, len(counts)+1)}
	for i, n := range counts {
		u.add(i, int(n))
	}
	return u
}

func (u *urn) add(group, n int) {
	u.all += n
	for i := group + 1; i < len(u.tree); i += i & -i {
		u.tree[i] += n
	}
}

// draw takes a ball out, each with the same probability, and returns its group.
func (u *urn) draw(r *tensor.Rand) int {
	ball, group := r.IntN(u.all), 0 // balls that lie before it, and groups that end before it
	for step := 1 << (bits.Len(uint(len(u.tree))) - 1); step > 0; step /= 2 {
		if next := group + step; next < len(u.tree) && u.tree[next] <= ball {
			group, ball = next, ball-u.tree[next]
		}
	}
	u.add(group, -1)
	return group
}

// noPart is the class of a mask's pixels that have none, and the number of classes that there may be.
const noPart = 255

// partOf is the class that most pixels in a box of a mask have, -1 where that is none.
func partOf(m *data.Mask, box image.Rectangle) int {
	var counts [noPart + 1]int
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for _, class := range m.Class[y*m.W+box.Min.X : y*m.W+box.Max.X] {
			counts[class]++
		}
	}
	best := noPart
	for class, n := range counts {
		if n > counts[best] {
			best = class
		}
	}
	if best == noPart {
		return -1
	}
	return best
}
