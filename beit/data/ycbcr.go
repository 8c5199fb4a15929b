package data

import "image"

// planes is an image in YCbCr, whose chroma may have fewer columns and rows.
type planes struct {
	src  *image.YCbCr
	webp bool // values and interpolation of VP8 instead of JFIF
}

// newPlanes takes src for JFIF. With webp set it takes src for VP8, if the chroma has the subsampling of VP8.
func newPlanes(src *image.YCbCr, webp bool) *planes {
	if src.Rect.Min.X < 0 || src.Rect.Min.Y < 0 {
		src = fullChroma(src)
	}
	return &planes{src, webp && src.SubsampleRatio == image.YCbCrSubsampleRatio420}
}

// fullChroma copies src to the origin with a sample of chroma for each pixel. The image package rounds negative positions towards 0: three pixels
// share a sample at 0, which upsampler does not support.
func fullChroma(src *image.YCbCr) *image.YCbCr {
	m := image.NewYCbCr(image.Rectangle{Max: src.Rect.Size()}, image.YCbCrSubsampleRatio444)
	for i := range m.Y {
		c := src.YCbCrAt(src.Rect.Min.X+i%m.YStride, src.Rect.Min.Y+i/m.YStride)
		m.Y[i], m.Cb[i], m.Cr[i] = c.Y, c.Cb, c.Cr
	}
	return m
}

// Size implements Image.
func (p *planes) Size() (w, h int) { return p.src.Rect.Dx(), p.src.Rect.Dy() }

// Region implements Image. Its pixels equal those of the whole image: chroma next to the box is taken into account.
func (p *planes) Region(box image.Rectangle) *RGB {
	checkRegion(p, box)
	out := NewRGB(box.Dx(), box.Dy())
	box = box.Add(p.src.Rect.Min)
	up := newUpsampler(p.src, box, p.webp)
	for y := range out.H {
		cb, cr := up.rows(box.Min.Y + y)
		from := p.src.YOffset(box.Min.X, box.Min.Y+y)
		luma := p.src.Y[from : from+out.W]
		if p.webp {
			vp8Row(out.row(y, 0, out.W), luma, cb, cr)
		} else {
			jfifRow(out.row(y, 0, out.W), luma, cb, cr)
		}
	}
	return out
}

// jfifRow applies the JFIF equations with 16 fractional bits, rounded as libjpeg does.
func jfifRow(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		yy, b, r := int32(l), int32(cb[x])-128, int32(cr[x])-128
		p := dst[:3:3]
		dst = dst[3:]
		p[0] = clip8(yy + (91881*r+32768)>>16)
		p[1] = clip8(yy + (-22554*b-46802*r+32768)>>16)
		p[2] = clip8(yy + (116130*b+32768)>>16)
	}
}

// vp8Row converts luma of 16 to 235 and chroma of 16 to 240 with the fixed-point numbers of libwebp. They have 6 fractional bits, to which
// products are cut.
func vp8Row(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		yy, b, r := int32(l)*19077>>8, int32(cb[x]), int32(cr[x])
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0] = clip8((yy + r*26149>>8 - 14234) >> 6)
		p[1] = clip8((yy - b*6419>>8 - r*13320>>8 + 8708) >> 6)
		p[2] = clip8((yy + b*33050>>8 - 17685) >> 6)
	}
}

// upsampler brings the chroma of a box to the resolution of its luma. At half the resolution a sample lies between two pixels. Each pixel is then
// 3/4 of the nearest sample and 1/4 of the next one, in each direction: a triangle filter.
type upsampler struct {
	src       *image.YCbCr
	box       image.Rectangle // of luma
	across    int             // columns of luma for each one of chroma
	down      int
	plain     bool // repeat samples instead
	webp      bool
	chroma    image.Rectangle // of all samples
	first     int             // chroma column of the box's first pixel
	n         int             // chroma columns under the box
	near, far []int32         // columns first-1 to first+n of two rows
	cb, cr    []uint8         // from luma column first*across
}

func newUpsampler(src *image.YCbCr, box image.Rectangle, webp bool) *upsampler {
	u := &upsampler{src: src, box: box, across: 1, down: 1, webp: webp}
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		u.across = 2
	case image.YCbCrSubsampleRatio420:
		u.across, u.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		u.down = 2
	case image.YCbCrSubsampleRatio411:
		u.across = 4
	case image.YCbCrSubsampleRatio410:
		u.across, u.down = 4, 2
	}
	r := src.Rect
	u.chroma = image.Rect(r.Min.X/u.across, r.Min.Y/u.down, (r.Max.X-1)/u.across+1, (r.Max.Y-1)/u.down+1)
	// libjpeg interpolates neither quarters nor images of up to two samples.
	u.plain = u.across == 4 || u.across == 2 && u.chroma.Dx() <= 2 && !webp
	u.first = box.Min.X / u.across
	u.n = (box.Max.X-1)/u.across + 1 - u.first
	u.near, u.far = make([]int32, u.n+2), make([]int32, u.n+2)
	u.cb, u.cr = make([]uint8, u.n*u.across), make([]uint8, u.n*u.across)
	return u
}

// rows returns the chroma for row y of the luma and the columns of the box. It is valid until the next call.
func (u *upsampler) rows(y int) (cb, cr []uint8) {
	u.plane(u.cb, u.src.Cb, y)
	u.plane(u.cr, u.src.Cr, y)
	skip := u.box.Min.X - u.first*u.across
	return u.cb[skip : skip+u.box.Dx()], u.cr[skip : skip+u.box.Dx()]
}

func (u *upsampler) plane(dst, plane []uint8, y int) {
	row := y / u.down
	other := row // the second nearest
	if u.down == 2 {
		other = min(max(row-1+2*(y%2), u.chroma.Min.Y), u.chroma.Max.Y-1)
	}
	if u.plain {
		u.repeat(dst, u.line(plane, row))
		return
	}
	switch {
	case u.webp:
		u.fetch(u.near, u.line(plane, row))
		u.fetch(u.far, u.line(plane, other))
		u.squares(dst)
	case u.across == 1 && u.down == 1:
		copy(dst, u.line(plane, row)[u.first-u.chroma.Min.X:])
	case u.across == 1:
		u.fetch(u.near, u.line(plane, row))
		u.fetch(u.far, u.line(plane, other))
		for i := range dst {
			dst[i] = uint8((3*u.near[i+1] + u.far[i+1] + 1 + int32(y%2)) >> 2)
		}
	case u.down == 1:
		u.fetch(u.near, u.line(plane, row))
		pairs(dst, u.near, 1, 2, 2)
	default:
		u.fetchSums(u.line(plane, row), u.line(plane, other))
		pairs(dst, u.near, 8, 7, 4)
	}
}

// line returns a row of chroma.
func (u *upsampler) line(plane []uint8, row int) []uint8 {
	return plane[(row-u.chroma.Min.Y)*u.src.CStride:][:u.chroma.Dx()]
}

// fetch copies the samples under the box and one more on each side. The outermost samples of the image are repeated.
func (u *upsampler) fetch(dst []int32, line []uint8) {
	from := u.first - u.chroma.Min.X
	inner := dst[1 : 1+u.n]
	for i, v := range line[from : from+u.n] {
		inner[i] = int32(v)
	}
	dst[0], dst[u.n+1] = int32(line[max(from-1, 0)]), int32(line[min(from+u.n, len(line)-1)])
}

// fetchSums writes three times one line plus the other to near.
func (u *upsampler) fetchSums(line, other []uint8) {
	from := u.first - u.chroma.Min.X
	a, b, inner := line[from:from+u.n], other[from:from+u.n], u.near[1:1+u.n]
	for i := range inner {
		inner[i] = 3*int32(a[i]) + int32(b[i])
	}
	before, after := max(from-1, 0), min(from+u.n, len(line)-1)
	u.near[0], u.near[u.n+1] = 3*int32(line[before])+int32(other[before]), 3*int32(line[after])+int32(other[after])
}

// pairs makes two pixels of each sample but the first and last, which serve as neighbours only. The two are rounded by different amounts, as in
// libjpeg, to avoid a bias.
func pairs(dst []uint8, samples []int32, left, right int32, shift uint) {
	last, at := samples[0], samples[1]
	for _, next := range samples[2:] {
		p := dst[:2:2]
		dst = dst[2:]
		p[0] = uint8((3*at + last + left) >> shift)
		p[1] = uint8((3*at + next + right) >> shift)
		last, at = at, next
	}
}

// squares weights the four nearest samples by 9, 3, 3 and 1 with libwebp's two roundings. The first and last column of the image have two samples
// only.
func (u *upsampler) squares(dst []uint8) {
	for i := range u.n {
		a, c := u.near[i+1], u.far[i+1]
		for side := range 2 {
			x := 2*(u.first+i) + side
			switch {
			case x >= u.src.Rect.Max.X:
			case x == u.src.Rect.Min.X || x == u.src.Rect.Max.X-1 && side == 1:
				dst[2*i+side] = uint8((3*a + c + 2) >> 2)
			default:
				b, d := u.near[i+2*side], u.far[i+2*side]
				dst[2*i+side] = uint8(((a+3*b+3*c+d+8)>>3 + a) >> 1)
			}
		}
	}
}

func (u *upsampler) repeat(dst, line []uint8) {
	for i := range dst {
		dst[i] = line[u.first-u.chroma.Min.X+i/u.across]
	}
}
