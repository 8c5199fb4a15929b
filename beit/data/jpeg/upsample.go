package jpeg

// plane holds the samples of a component. Behind its last row and column it has samples of no meaning, up to whole MCUs.
type plane struct {
	pix    []uint8
	stride int
	w, h   int // samples that count
	first  int // number of the first row of pix
	left   int // number of the first column of pix

	// Columns and rows of the image for each sample, as fractions: 2 1 means a sample for two pixels.
	across, down fraction
	smooth       bool // interpolate
}

type fraction struct{ num, den int }

// at returns the sample of position i.
func (f fraction) at(i int) int {
	if f.num == f.den {
		return i
	}
	return i * f.den / f.num
}

// setRatio takes the number of samples that lie beside x columns and y rows of the image. At half the resolution libjpeg interpolates: each pixel
// is 3/4 of the nearest sample and 1/4 of the next one, in each direction. All other ratios, very narrow planes and images at an eighth of their
// size repeat samples.
func (p *plane) setRatio(w, x, h, y int, eighth bool) {
	p.across, p.down = fraction{x, w}, fraction{y, h}
	switch {
	case eighth:
	case x == 2*w && (y == h || y == 2*h):
		p.smooth = p.w > 2
	case x == w && y == 2*h:
		p.smooth = true
	}
}

// row returns samples [from, to) of row y.
func (p *plane) row(y, from, to int) []uint8 {
	at := (y-p.first)*p.stride - p.left
	return p.pix[at+from : at+to : at+to]
}

// line brings one plane to the resolution of the image, a row at a time, for a range of columns.
type line struct {
	*plane
	wide, tall bool
	from, to   int // columns of the image
	start, end int // samples under them
	near, far  []uint8
	out        []uint8
}

func (l *line) init(p *plane, from, to int) {
	l.plane, l.from, l.to = p, from, to
	l.wide, l.tall = p.across.num != p.across.den, p.down.num != p.down.den
	l.start, l.end = p.across.at(from), p.across.at(to-1)+1
	switch {
	case p.smooth && l.wide:
		n := l.end - l.start
		l.out, l.near, l.far = make([]uint8, 2*n), make([]uint8, n+2), make([]uint8, n+2)
	case p.smooth || l.wide:
		l.out = make([]uint8, to-from)
	}
}

// row returns the samples for row y of the image. They are valid until the next call.
func (l *line) row(y int) []uint8 {
	near := l.down.at(y)
	far := near // the second nearest
	if l.tall {
		far = min(max(near-1+2*(y%2), 0), l.h-1)
	}
	switch {
	case !l.smooth && !l.wide:
		return l.plane.row(near, l.from, l.to)
	case !l.smooth:
		l.repeat(near)
		return l.out
	case !l.wide:
		mix(l.out, l.plane.row(near, l.from, l.to), l.plane.row(far, l.from, l.to), int32(1+y%2))
		return l.out
	case !l.tall:
		double(l.out, l.fetch(l.near, near))
	default:
		doubleMixed(l.out, l.fetch(l.near, near), l.fetch(l.far, far))
	}
	skip := l.from - 2*l.start
	return l.out[skip : skip+l.to-l.from]
}

func (l *line) repeat(near int) {
	src := l.plane.row(near, 0, l.w)
	for i := range l.out {
		l.out[i] = src[l.across.at(l.from+i)]
	}
}

// fetch copies the samples under the columns and one more on each side. The outermost samples of the image are repeated.
func (l *line) fetch(dst []uint8, row int) []uint8 {
	src := l.plane.row(row, 0, l.w)
	copy(dst[1:], src[l.start:l.end])
	dst[0], dst[len(dst)-1] = src[max(l.start-1, 0)], src[min(l.end, l.w-1)]
	return dst
}

// mix writes 3/4 of one row and 1/4 of another, rounded by bias.
func mix(dst, near, far []uint8, bias int32) {
	near, far = near[:len(dst)], far[:len(dst)]
	for i := range dst {
		dst[i] = uint8((3*int32(near[i]) + int32(far[i]) + bias) >> 2)
	}
}

// double makes two pixels of each sample but the first and last, which serve as neighbours only. The two are rounded by different amounts, as in
// libjpeg, to avoid a bias.
func double(dst, src []uint8) {
	n := doubleFast(dst, src)
	doubleGeneric(dst[2*n:], src[n:])
}

func doubleGeneric(dst, src []uint8) {
	for i := range len(src) - 2 {
		last, at, next := int32(src[i]), int32(src[i+1]), int32(src[i+2])
		dst[2*i] = uint8((3*at + last + 1) >> 2)
		dst[2*i+1] = uint8((3*at + next + 2) >> 2)
	}
}

// doubleMixed does the same with 3/4 of the samples of one row and 1/4 of those of another.
func doubleMixed(dst, near, far []uint8) {
	n := doubleMixedFast(dst, near, far)
	doubleMixedGeneric(dst[2*n:], near[n:], far[n:])
}

func doubleMixedGeneric(dst, near, far []uint8) {
	far = far[:len(near)]
	last, at := 3*int32(near[0])+int32(far[0]), 3*int32(near[1])+int32(far[1])
	for i := range len(near) - 2 {
		next := 3*int32(near[i+2]) + int32(far[i+2])
		dst[2*i] = uint8((3*at + last + 8) >> 4)
		dst[2*i+1] = uint8((3*at + next + 7) >> 4)
		last, at = at, next
	}
}
