package kernel

// A panel is a copy of width rows of A or columns of B in which the elements of one k are
// adjacent: element (x,k) is at k*width+x. Elements past the edge of the matrix are not
// written, and no tile reads them.

// packAlong packs a matrix whose elements of one k are neighbours, element (x,k) at
// src[k*stride+x]. The last strip of the total may be narrower.
func (f *GemmFuncs) packAlong(dst []float32, width int, src []float32, stride, total, depth int) {
	whole := total / width * width
	if whole > 0 {
		f.gather(dst, width, src, stride, whole/width, depth)
	}
	if whole < total {
		to, rest := dst[whole*depth:], src[whole:]
		for k := range depth {
			copy(to[k*width:][:total-whole], rest[k*stride:])
		}
	}
}

// packAcross packs a matrix whose k runs along its rows, element (x,k) at
// src[x*stride+k].
func (f *GemmFuncs) packAcross(dst []float32, width int, src []float32, stride, total, depth int) {
	for x := 0; x < total; x += width {
		f.transpose(dst[x*depth:], width, src[x*stride:], stride, min(width, total-x), depth)
	}
}

// packAny packs a matrix with any two strides, element (x,k) at src[x*across+k*along].
func packAny(dst []float32, width int, src []float32, across, along, total, depth int) {
	for x := range total {
		to := dst[x/width*width*depth+x%width:]
		for k := range depth {
			to[k*width] = src[x*across+k*along]
		}
	}
}

// pack chooses by the strides.
func (f *GemmFuncs) pack(dst []float32, width int, src []float32, across, along, total, depth int) {
	switch {
	case across == 1:
		f.packAlong(dst, width, src, along, total, depth)
	case along == 1:
		f.packAcross(dst, width, src, across, total, depth)
	default:
		packAny(dst, width, src, across, along, total, depth)
	}
}
