package tensor

// Resample combines whole runs of inner elements, or where there are none, gathers the inputs of each element.
func (c *cpuBackend) Resample(a ResampleArgs) {
	to, from, bands, weights := f32(a.Dst), f32(a.Src), i32(a.Bands), f32(a.Weights)
	if a.Inner == 1 {
		split(a.Outer, len(weights), func(lo, hi int) {
			for o := lo; o < hi; o++ {
				resampleRow(to[o*a.To:(o+1)*a.To], from[o*a.From:(o+1)*a.From], bands, weights)
			}
		})
		return
	}
	split(a.Outer*a.To, a.Inner*max(1, len(weights)/a.To), func(lo, hi int) {
		for r := lo; r < hi; r++ {
			o, i := r/a.To, r%a.To
			first, start, next := int(bands[2*i]), int(bands[2*i+1]), int(bands[2*i+3])
			dst := to[r*a.Inner : (r+1)*a.Inner]
			if start == next {
				clear(dst)
			}
			for t := start; t < next; t++ {
				src := from[(o*a.From+first+t-start)*a.Inner:][:a.Inner]
				if t == start {
					c.vec.Affine(dst, src, weights[t], 0)
				} else {
					c.vec.AddScaled(dst, src, weights[t])
				}
			}
		}
	})
}

// resampleRow maps one row.
func resampleRow(to, from []float32, bands []int32, weights []float32) {
	for i := range to {
		first, start, next := bands[2*i], bands[2*i+1], bands[2*i+3]
		sum := float32(0)
		for t, w := range weights[start:next] {
			sum += w * from[int(first)+t]
		}
		to[i] = sum
	}
}
