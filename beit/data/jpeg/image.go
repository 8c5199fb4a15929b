package jpeg

import (
	"fmt"
	"image"
)

// Image is a decoded image whose components still have their own resolution. It is not written to after Decode, so several goroutines may use it.
type Image struct {
	w, h   int
	color  colorModel
	origin image.Point // of the image in its planes
	planes []plane
}

// FromYCbCr shows an image that was decoded elsewhere, or made, by the rules for JPEG files. The result refers to src. It panics when src is empty or
// has negative coordinates.
func FromYCbCr(src *image.YCbCr) *Image {
	if src.Rect.Empty() || src.Rect.Min.X < 0 || src.Rect.Min.Y < 0 {
		panic(fmt.Sprintf("jpeg: FromYCbCr: bounds %v", src.Rect))
	}
	across, down := subsampling(src.SubsampleRatio)
	m := &Image{w: src.Rect.Dx(), h: src.Rect.Dy(), color: ycc}
	m.origin = image.Pt(src.Rect.Min.X%across, src.Rect.Min.Y%down)
	w, h := m.origin.X+m.w, m.origin.Y+m.h
	luma := plane{pix: src.Y, stride: src.YStride, w: w, h: h, first: m.origin.Y, left: m.origin.X}
	luma.setRatio(1, 1, 1, 1, false)
	chroma := plane{stride: src.CStride, w: ceilDiv(w, across), h: ceilDiv(h, down)}
	chroma.setRatio(1, across, 1, down, false)
	m.planes = []plane{luma, chroma, chroma}
	m.planes[1].pix, m.planes[2].pix = src.Cb, src.Cr
	return m
}

// subsampling returns the columns and rows of luma for each sample of chroma.
func subsampling(r image.YCbCrSubsampleRatio) (across, down int) {
	switch r {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// Size returns the number of columns and rows, divided by the scale.
func (m *Image) Size() (w, h int) { return m.w, m.h }

// RGB converts the part box to RGB, row after row, red first, and writes it to dst. Its pixels equal those of the whole image. It panics when box is
// empty or leaves the image, or when dst is too short.
func (m *Image) RGB(dst []uint8, box image.Rectangle) {
	if box.Empty() || !box.In(image.Rect(0, 0, m.w, m.h)) {
		panic(fmt.Sprintf("jpeg: RGB: box %v of an image of %dx%d", box, m.w, m.h))
	}
	row := 3 * box.Dx()
	if len(dst) < row*box.Dy() {
		panic(fmt.Sprintf("jpeg: RGB: %d bytes for box %v", len(dst), box))
	}
	box = box.Add(m.origin)
	lines := make([]line, len(m.planes))
	for i := range lines {
		lines[i].init(&m.planes[i], box.Min.X, box.Max.X)
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		m.convert(dst[:row:row], lines, y)
		dst = dst[row:]
	}
}

// convert converts one row.
func (m *Image) convert(dst []uint8, lines []line, y int) {
	var c [4][]uint8
	for i := range lines {
		c[i] = lines[i].row(y)
	}
	switch m.color {
	case gray:
		grayRow(dst, c[0])
	case ycc:
		yccRow(dst, c[0], c[1], c[2])
	case rgb:
		rgbRow(dst, c[0], c[1], c[2])
	case cmyk:
		rgbRow(dst, c[0], c[1], c[2])
		inkRow(dst, c[3])
	case ycck:
		yccRow(dst, c[0], c[1], c[2])
		invert(dst)
		inkRow(dst, c[3])
	}
}
