// Package record decides, for operations that are recorded in order, which ones need a barrier before them, and how many are submitted at a
// time. It is independent of any device.
//
// Nothing here is safe for concurrent use.
package record

import "slices"

// Access is an access of an operation to bytes Lo to Hi of a block. An access that reads and writes is a write.
type Access struct {
	Block  int
	Lo, Hi int64
	Write  bool
}

// Hazards tracks what operations accessed since the last barrier.
type Hazards struct {
	reads, writes [][]span // by block
}

// span is [lo, hi). The spans of a list are sorted and neither overlap nor touch.
type span struct{ lo, hi int64 }

// Next records the accesses of the next operation, and reports whether a barrier is needed before it. It is needed when the operation
// touches what was written since the last barrier, or writes what was read.
func (h *Hazards) Next(as []Access) (barrier bool) {
	for _, a := range as {
		for a.Block >= len(h.reads) {
			h.reads, h.writes = append(h.reads, nil), append(h.writes, nil)
		}
		if overlaps(h.writes[a.Block], a.Lo, a.Hi) || a.Write && overlaps(h.reads[a.Block], a.Lo, a.Hi) {
			barrier = true
		}
	}
	if barrier {
		h.Reset()
	}
	for _, a := range as {
		if a.Lo >= a.Hi {
			continue
		}
		if a.Write {
			h.writes[a.Block] = insert(h.writes[a.Block], a.Lo, a.Hi)
		} else {
			h.reads[a.Block] = insert(h.reads[a.Block], a.Lo, a.Hi)
		}
	}
	return barrier
}

// Reset removes all accesses, as after a barrier. It keeps its memory.
func (h *Hazards) Reset() {
	for k, s := range h.reads {
		h.reads[k] = s[:0]
	}
	for k, s := range h.writes {
		h.writes[k] = s[:0]
	}
}

// first is the index of the first span that ends beyond lo.
func first(s []span, lo int64) int {
	i, j := 0, len(s)
	for i < j {
		if m := (i + j) / 2; s[m].hi > lo {
			j = m
		} else {
			i = m + 1
		}
	}
	return i
}

func overlaps(s []span, lo, hi int64) bool {
	i := first(s, lo)
	return i < len(s) && s[i].lo < hi && lo < hi
}

func insert(s []span, lo, hi int64) []span {
	i := first(s, lo-1) // one that ends at lo touches
	j := i
	for j < len(s) && s[j].lo <= hi {
		lo, hi = min(lo, s[j].lo), max(hi, s[j].hi)
		j++
	}
	return slices.Replace(s, i, j, span{lo, hi})
}
