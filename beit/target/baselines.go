package target

import (
	"cmp"
	"slices"

	"github.com/gobeit/gobeit/beit"
	"github.com/gobeit/gobeit/beit/method"
	"github.com/gobeit/gobeit/nn/dist"
)

// Keys of what codes are compared with, and of their use.
const (
	KeyEntropy    = "unigram_entropy"
	KeyNearest    = "acc_nearest_patch"
	KeyUsed       = "codes_used"
	KeyPerplexity = "perplexity"
)

// Baselines measures, over a validation, what needs no model: how often each code occurs, and how often a masked patch has the code of the nearest visible
// one.
type Baselines struct {
	nearest NearestPatch
	counts  []int64
}

// NewBaselines begins a validation with so many codes.
func NewBaselines(nearest NearestPatch, codes int) *Baselines {
	return &Baselines{nearest, make([]int64, codes)}
}

// Add counts the codes of a batch, negative ones where an image has none, and adds to m how many masked patches have that of the nearest visible one.
// Of each of the masks, which have a value for each code, the masked patches are predicted.
func (b *Baselines) Add(m method.Means, codes []int32, masks ...[]bool) {
	for _, code := range codes {
		if code >= 0 {
			b.counts[code]++
		}
	}
	n := len(b.nearest)
	for _, mask := range masks {
		for first := 0; first < len(codes); first += n {
			masked, hits := b.nearest.Count(codes[first:first+n], mask[first:first+n])
			m.Add(KeyNearest, float64(hits), float64(masked))
		}
	}
}

// Values are the figures in m and those of the codes, of all members of a group. It is method.ErrNoneReadable where no image was read.
func (b *Baselines) Values(g dist.Group, m method.Means) (map[string]float64, error) {
	if err := cmp.Or(m.Reduce(g), g.AllReduceInt64(b.counts)); err != nil {
		return nil, err
	}
	if len(m) == 0 {
		return nil, method.ErrNoneReadable
	}
	v := m.Values()
	if use := beit.UsageOfCounts(b.counts); use.Used > 0 {
		v[KeyEntropy], v[KeyUsed], v[KeyPerplexity] = use.Entropy, float64(use.Used), use.Perplexity
	}
	return v, nil
}

// NearestPatch is a baseline of codes that needs no model: a masked patch has the code of the nearest visible one. It lists for each patch of a grid all
// others, the nearest first, ties in row-major order.
type NearestPatch [][]int

// NewNearestPatch is the baseline of a grid of so many patches a side.
func NewNearestPatch(grid int) NearestPatch {
	list := make(NearestPatch, grid*grid)
	for p := range list {
		distance := func(q int) int {
			dy, dx := p/grid-q/grid, p%grid-q%grid
			return dy*dy + dx*dx
		}
		for q := range grid * grid {
			if q != p {
				list[p] = append(list[p], q)
			}
		}
		slices.SortStableFunc(list[p], func(a, b int) int { return distance(a) - distance(b) })
	}
	return list
}

// Count counts masked patches of one image, and those of them whose code is that of the nearest visible patch. codes and mask have a value for each patch.
func (n NearestPatch) Count(codes []int32, mask []bool) (masked, hits int) {
	for p, on := range mask {
		if !on {
			continue
		}
		masked++
		for _, q := range n[p] {
			if !mask[q] {
				if codes[q] == codes[p] {
					hits++
				}
				break
			}
		}
	}
	return masked, hits
}
