package data

import (
	"image"

	"github.com/gobeit/gobeit/beit/data/jpeg"
)

// jpegImage is a decoded JPEG file.
type jpegImage struct{ *jpeg.Image }

// decodeJPEG decodes the pixels of a JPEG file.
func decodeJPEG(content []byte) (Image, error) { return decodeScaledJPEG(content, 1) }

// decodeScaledJPEG makes the image smaller by 1, 2, 4 or 8, as Pillow's draft does.
func decodeScaledJPEG(content []byte, scale int) (Image, error) {
	m, err := jpeg.Decode(content, scale)
	if err != nil {
		return nil, err
	}
	return jpegImage{m}, nil
}

// Region implements Image.
func (m jpegImage) Region(box image.Rectangle) *RGB {
	checkRegion(m, box)
	out := NewRGB(box.Dx(), box.Dy())
	m.RGB(out.Pix, box)
	return out
}

// jpegConfig reads the size of a JPEG file.
func jpegConfig(content []byte) (w, h int, err error) {
	c, err := jpeg.ReadConfig(content, 1)
	return c.Width, c.Height, err
}

// jpegMemory returns the bytes that decoding a JPEG file at 1/n of its size takes. It is 0 when the header cannot be read.
func jpegMemory(content []byte, n int) int64 {
	c, err := jpeg.ReadConfig(content, n)
	if err != nil {
		return 0
	}
	return c.Memory
}
