package data

import (
	"image"

	"github.com/gobeit/gobeit/beit/data/jpeg"
)

// newPlanes takes src for JFIF. With webp set it takes src for VP8, if the chroma has the subsampling of VP8.
func newPlanes(src *image.YCbCr, webp bool) Image {
	if src.Rect.Min.X < 0 || src.Rect.Min.Y < 0 {
		src = fullChroma(src)
	}
	if webp && src.SubsampleRatio == image.YCbCrSubsampleRatio420 {
		return vp8Image{src}
	}
	return jpegImage{jpeg.FromYCbCr(src)}
}

// fullChroma copies src to the origin with a sample of chroma for each pixel. The image package rounds negative positions towards 0: three pixels
// share a sample at 0, which no interpolation here supports.
func fullChroma(src *image.YCbCr) *image.YCbCr {
	m := image.NewYCbCr(image.Rectangle{Max: src.Rect.Size()}, image.YCbCrSubsampleRatio444)
	for i := range m.Y {
		c := src.YCbCrAt(src.Rect.Min.X+i%m.YStride, src.Rect.Min.Y+i/m.YStride)
		m.Y[i], m.Cb[i], m.Cr[i] = c.Y, c.Cb, c.Cr
	}
	return m
}

// vp8Image is an image with the values and the interpolation of VP8, whose chroma has half the columns and rows.
type vp8Image struct{ src *image.YCbCr }

// Size implements Image.
func (m vp8Image) Size() (w, h int) { return m.src.Rect.Dx(), m.src.Rect.Dy() }

// Region implements Image. Its pixels equal those of the whole image: chroma next to the box is taken into account.
func (m vp8Image) Region(box image.Rectangle) *RGB {
	checkRegion(m, box)
	out := NewRGB(box.Dx(), box.Dy())
	box = box.Add(m.src.Rect.Min)
	up := newUpsampler(m.src, box)
	for y := range out.H {
		cb, cr := up.rows(box.Min.Y + y)
		from := m.src.YOffset(box.Min.X, box.Min.Y+y)
		vp8Row(out.row(y, 0, out.W), m.src.Y[from:from+out.W], cb, cr)
	}
	return out
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

// upsampler brings the chroma of a box to the resolution of its luma. A sample lies between four pixels. Each pixel is then 3/4 of the nearest
// sample and 1/4 of the next one, in each direction: a triangle filter.
type upsampler struct {
	src       *image.YCbCr
	box       image.Rectangle // of luma
	chroma    image.Rectangle // of all samples
	first     int             // chroma column of the box's first pixel
	n         int             // chroma columns under the box
	near, far []int32         // columns first-1 to first+n of two rows
	cb, cr    []uint8         // from luma column 2*first
}

func newUpsampler(src *image.YCbCr, box image.Rectangle) *upsampler {
	u := &upsampler{src: src, box: box}
	r := src.Rect
	u.chroma = image.Rect(r.Min.X/2, r.Min.Y/2, (r.Max.X-1)/2+1, (r.Max.Y-1)/2+1)
	u.first = box.Min.X / 2
	u.n = (box.Max.X-1)/2 + 1 - u.first
	u.near, u.far = make([]int32, u.n+2), make([]int32, u.n+2)
	u.cb, u.cr = make([]uint8, 2*u.n), make([]uint8, 2*u.n)
	return u
}

// rows returns the chroma for row y of the luma and the columns of the box. It is valid until the next call.
func (u *upsampler) rows(y int) (cb, cr []uint8) {
	u.plane(u.cb, u.src.Cb, y)
	u.plane(u.cr, u.src.Cr, y)
	skip := u.box.Min.X - 2*u.first
	return u.cb[skip : skip+u.box.Dx()], u.cr[skip : skip+u.box.Dx()]
}

func (u *upsampler) plane(dst, plane []uint8, y int) {
	other := min(max(y/2-1+2*(y%2), u.chroma.Min.Y), u.chroma.Max.Y-1) // the second nearest row
	u.fetch(u.near, u.line(plane, y/2))
	u.fetch(u.far, u.line(plane, other))
	u.squares(dst)
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
