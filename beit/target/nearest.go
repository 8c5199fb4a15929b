package target

import "slices"

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
