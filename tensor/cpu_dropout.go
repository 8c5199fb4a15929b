package tensor

// Dropout draws blocks of four numbers.
func (c *cpuBackend) Dropout(dst, x *Tensor, r *Rand, below uint32, scale float32, inner int) {
	to, from := f32(dst), f32(x)
	const draw = 16 // a number costs about as much as so many elements
	split(len(to)/inner, inner+draw, func(lo, hi int) {
		var block [4]uint32
		for g := lo; g < hi; g++ {
			if g == lo || g%4 == 0 {
				block = philox([4]uint32{uint32(g / 4), uint32(uint64(g/4) >> 32)}, r.key)
			}
			factor := scale
			if block[g%4] < below {
				factor = 0
			}
			switch part := to[g*inner : (g+1)*inner]; {
			case factor == 0:
				clear(part)
			case inner == 1:
				part[0] = from[g] * factor
			default:
				c.vec.Affine(part, from[g*inner:(g+1)*inner], factor, 0)
			}
		}
	})
}
