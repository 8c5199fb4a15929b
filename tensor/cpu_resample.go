package tensor

// Resample combines whole runs of inner elements, or where there are none, gathers the inputs of each element.
func (c *cpuBackend) Resample(a ResampleArgs) {
	to, from, bands, weights := f32(a.Dst), f32(a.Src), i32(a.Bands), f32(a.Weights)
	if a.Inner == 1 {
		row := gather(bands, weights)
		split(a.Outer, len(weights), func(lo, hi int) {
			for o := lo; o < hi; o++ {
				row(to[o*a.To:(o+1)*a.To], from[o*a.From:(o+1)*a.From])
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

// pair is an output of two inputs.
type pair struct {
	i, j int32
	a, b float32
}

// gather returns the map of a row. Where no output has more than two inputs, as in interpolation, all have two.
func gather(bands []int32, weights []float32) func(to, from []float32) {
	pairs := make([]pair, len(bands)/2-1)
	for i := range pairs {
		first, part := bands[2*i], weights[bands[2*i+1]:bands[2*i+3]]
		switch len(part) {
		case 1: // halves of it, which add up to it
			pairs[i] = pair{first, first, part[0] / 2, part[0] / 2}
		case 2:
			pairs[i] = pair{first, first + 1, part[0], part[1]}
		default:
			return func(to, from []float32) { gatherBands(to, from, bands, weights) }
		}
	}
	return func(to, from []float32) {
		for i, p := range pairs {
			to[i] = p.a*from[p.i] + p.b*from[p.j]
		}
	}
}

// gatherBands maps one row.
func gatherBands(to, from []float32, bands []int32, weights []float32) {
	for i := range to {
		first, start, next := bands[2*i], bands[2*i+1], bands[2*i+3]
		sum := float32(0)
		for t, w := range weights[start:next] {
			sum += w * from[int(first)+t]
		}
		to[i] = sum
	}
}
