package mappage

import (
	"math"

	"github.com/gobeit/gobeit/beit/explore"
)

// member is an image of a group of near-duplicates.
type member struct {
	image, of int // of: the image that it repeats, -1 for the first of the group
	relation  explore.Relation
	cosine    float64
}

// joinsOf returns the pair by which each image belongs to its group: the first with an earlier image, or else with a later one.
func joinsOf(pairs []explore.Pair) map[int]explore.Pair {
	joins := make(map[int]explore.Pair, len(pairs))
	for _, q := range pairs {
		if old, ok := joins[q.B]; !ok || old.A == q.B {
			joins[q.B] = q
		}
		if _, ok := joins[q.A]; !ok {
			joins[q.A] = q
		}
	}
	return joins
}

// members says what each image of a group is of another one.
func (p *Content) members(group []int) []member {
	list := []member{{image: group[0], of: -1, cosine: math.NaN()}}
	for _, i := range group[1:] {
		q := p.joins[i]
		list = append(list, member{image: i, of: q.A + q.B - i, relation: q.Relation, cosine: q.Cosine})
	}
	return list
}
