package kernel

// A panel is a strip of A or B, width rows of A or columns of B, copied so that the
// elements of one k lie side by side: element (x,k) of the strip at k*width+x. The places
// past the edge of the matrix are left as they were; no tile reads them.

// packAlong packs count strips of a matrix whose elements of one k are neighbours, element
// (x,k) at src[k*stride+x]. The last of total columns may fall short of a whole strip.
// Strip s goes to dst[s*depth*width:].
func packAlong(dst []float32, width int, src []float32, stride, total, depth int) {
	whole := total / width * width
	for k := range depth {
		from := src[k*stride:]
		to := dst[k*width:]
		for x := 0; x < whole; x += width {
			copyStrip(to, from[x:], width)
			to = to[min(depth*width, len(to)):]
		}
	}
	if whole < total {
		to, rest := dst[whole*depth:], src[whole:]
		for k := range depth {
			copy(to[k*width:][:total-whole], rest[k*stride:])
		}
	}
}

// copyStrip copies width elements: for the widths of panels as one value, in a few vector moves.
func copyStrip(to, from []float32, width int) {
	switch width {
	case 32:
		*(*[32]float32)(to) = [32]float32(from)
	case 16:
		*(*[16]float32)(to) = [16]float32(from)
	case 14:
		*(*[14]float32)(to) = [14]float32(from)
	case 6:
		*(*[6]float32)(to) = [6]float32(from)
	default:
		copy(to[:width], from)
	}
}

// packAcross packs strips of a matrix whose k runs along its rows, element (x,k) at
// src[x*stride+k].
func (f *GemmFuncs) packAcross(dst []float32, width int, src []float32, stride, total, depth int) {
	for x := 0; x < total; x += width {
		f.transpose(dst[x*depth:], width, src[x*stride:], stride, min(width, total-x), depth)
	}
}

// packAny packs strips of a matrix with any two strides, element (x,k) at src[x*across+k*along].
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
		packAlong(dst, width, src, along, total, depth)
	case along == 1:
		f.packAcross(dst, width, src, across, total, depth)
	default:
		packAny(dst, width, src, across, along, total, depth)
	}
}
