package tensor

import "math"

// Dropout draws four numbers at a time.
func (c *cpuBackend) Dropout(dst, x *Tensor, r *Rand, below uint32, scale float32, inner int) {
	to, from := f32(dst), f32(x)
	const words, cost = 4, 64 // numbers of a block, which costs about as much as so many elements
	groups := len(to) / inner
	split(ceilDiv(groups, words), words*inner+cost, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			block := philox([4]uint32{uint32(b), uint32(uint64(b) >> 32)}, r.key)
			first := b * words
			numbers := block[:min(words, groups-first)]
			if inner == 1 {
				dropEach(to[first:], from[first:], numbers, below, scale)
				continue
			}
			for k, number := range numbers {
				at := (first + k) * inner
				if number < below {
					clear(to[at : at+inner])
				} else {
					c.vec.Affine(to[at:at+inner], from[at:at+inner], scale, 0)
				}
			}
		}
	})
}

// dropEach has a number for each element.
func dropEach(to, from []float32, numbers []uint32, below uint32, scale float32) {
	for k, number := range numbers {
		bits := math.Float32bits(from[k] * scale)
		if number < below {
			bits = 0 // of whole numbers, so that it compiles to no branch
		}
		to[k] = math.Float32frombits(bits)
	}
}
