package data

import (
	"errors"
	"fmt"
	"image"
	"image/color"
)

// RGB is an image of 8-bit RGB: the pixel of row y, column x is at Pix[3*(y*W+x):], red first. It implements Image, and image.Image without
// transparency.
type RGB struct {
	W, H int
	Pix  []uint8 // H*W*3
}

// NewRGB returns a black image. It panics when a side is below 1.
func NewRGB(w, h int) *RGB {
	if w < 1 || h < 1 {
		panic(fmt.Sprintf("data: NewRGB: size %dx%d", w, h))
	}
	return &RGB{W: w, H: h, Pix: make([]uint8, 3*w*h)}
}

// greyRamp is the palette where a file has none, and the colours beyond the end of its palette.
func greyRamp() (palette [256][3]uint8) {
	for i := range palette {
		palette[i] = [3]uint8{uint8(i), uint8(i), uint8(i)}
	}
	return palette
}

// fill sets all pixels to one colour.
func (m *RGB) fill(c [3]uint8) {
	for i := range m.Pix {
		m.Pix[i] = c[i%3]
	}
}

// Bounds returns the rectangle of the whole image.
func (m *RGB) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// Size implements Image.
func (m *RGB) Size() (w, h int) { return m.W, m.H }

// Region implements Image.
func (m *RGB) Region(box image.Rectangle) *RGB {
	if box == m.Bounds() {
		return m
	}
	return Crop(m, box)
}

// ColorModel implements image.Image.
func (m *RGB) ColorModel() color.Model { return color.RGBAModel }

// At implements image.Image.
func (m *RGB) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(m.Bounds()) {
		return color.RGBA{}
	}
	p := m.row(y, x, x+1)
	return color.RGBA{p[0], p[1], p[2], 255}
}

// row returns columns x0 to x1 of row y.
func (m *RGB) row(y, x0, x1 int) []uint8 { return m.Pix[3*(y*m.W+x0) : 3*(y*m.W+x1)] }

// FromImage converts an image.Image to RGB by the rules of Decode. It takes an *image.YCbCr for the content of a JPEG file and an *image.NYCbCrA for
// that of a WebP file. Decode knows the format: images from GIF, TIFF and lossy WebP files may differ from its result, and those of image/jpeg
// differ by its rounding. An *RGB is returned as it is. An image that is nil, has no or too few pixels or has more than the limit is an
// error.
func FromImage(src image.Image, limits Limits) (*RGB, error) {
	if isNil(src) {
		return nil, errors.New("the image is nil")
	}
	size := src.Bounds()
	if size.Empty() {
		return nil, fmt.Errorf("the image has no pixels: its bounds are %v", size)
	}
	if size.Dx() > limits.Pixels/size.Dy() {
		return nil, fmt.Errorf("the image has %dx%d pixels: the limit is %d in all", size.Dx(), size.Dy(), limits.Pixels)
	}
	if err := checkWhole(src); err != nil {
		return nil, err
	}
	return fromImage(src), nil
}

// fromImage converts the image types of the standard decoders.
func fromImage(src image.Image) *RGB {
	switch s := src.(type) {
	case *RGB:
		return s
	case *Raster:
		return whole(s)
	case *image.YCbCr:
		return whole(newPlanes(s, false))
	case *image.NYCbCrA: // only WebP has it
		return whole(newPlanes(&s.YCbCr, true))
	}
	b := src.Bounds()
	m := NewRGB(b.Dx(), b.Dy())
	for y := range m.H {
		row := m.row(y, 0, m.W)
		switch s := src.(type) {
		case *image.Gray:
			grayRow(row, s.Pix[y*s.Stride:])
		case *image.RGBA:
			divideAlpha(row, s.Pix[y*s.Stride:], 4, 1)
		case *image.NRGBA:
			dropAlpha(row, s.Pix[y*s.Stride:], 4, 1)
		case *image.RGBA64: // big-endian: the high byte comes first
			divideAlpha(row, s.Pix[y*s.Stride:], 8, 2)
		case *image.NRGBA64:
			dropAlpha(row, s.Pix[y*s.Stride:], 8, 2)
		case *image.CMYK:
			cmykRow(row, s.Pix[y*s.Stride:])
		default:
			anyRow(row, src, y)
		}
	}
	return m
}

// dropAlpha copies colours as stored, which in PNG files are not multiplied by alpha.
func dropAlpha(dst, src []uint8, pixel, component int) {
	for i := 0; i < len(dst); i += 3 {
		dst[i], dst[i+1], dst[i+2] = src[0], src[component], src[2*component]
		src = src[min(pixel, len(src)):]
	}
}

// divideAlpha copies premultiplied colours divided by alpha, as Pillow does with TIFF files: computed from the higher 8 bits, cut off and bounded,
// and black where alpha is 0.
func divideAlpha(dst, src []uint8, pixel, component int) {
	for i := 0; i < len(dst); i += 3 {
		alpha := int32(src[3*component])
		for c := range 3 {
			v := int32(src[c*component])
			switch alpha {
			case 0:
				v = 0
			case 255:
			default:
				v = v * 255 / alpha
			}
			dst[i+c] = clip8(v)
		}
		src = src[min(pixel, len(src)):]
	}
}

func grayRow(dst, src []uint8) {
	for x := range len(dst) / 3 {
		dst[3*x], dst[3*x+1], dst[3*x+2] = src[x], src[x], src[x]
	}
}

// cmykRow converts CMYK: it multiplies each ink's transparency with that of black, in rounded steps of 1/255.
func cmykRow(dst, src []uint8) {
	for x := range len(dst) / 3 {
		light := 255 - int32(src[4*x+3])
		for c := range 3 {
			t := int32(src[4*x+c])*light + 128
			dst[3*x+c] = clip8(light - (t>>8+t)>>8)
		}
	}
}

func anyRow(dst []uint8, src image.Image, y int) {
	b := src.Bounds()
	for x := range len(dst) / 3 {
		c := color.NRGBAModel.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
		dst[3*x], dst[3*x+1], dst[3*x+2] = c.R, c.G, c.B
	}
}

func clip8(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
