package data

import (
	"errors"
	"fmt"
	"image"
	"image/color"
)

// ColorModel implements image.Image.
func (m *Raster) ColorModel() color.Model { return color.RGBAModel }

// Bounds returns the rectangle of the whole image.
func (m *Raster) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At implements image.Image: see Region.
func (m *Raster) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(m.Bounds()) {
		return color.RGBA{}
	}
	return m.Region(image.Rect(x, y, x+1, y+1)).At(0, 0)
}

// RasterFrom makes an image one of so many channels, by the rules of Channels. A *Raster keeps its values, and so do *image.Gray, Gray16, NRGBA and
// NRGBA64; others are RGB as FromImage has it. An image that is nil, has no or too few pixels or has more than the limit is an error.
func RasterFrom(src image.Image, channels int, limits Limits) (*Raster, error) {
	if isNil(src) {
		return nil, errors.New("the image is nil")
	}
	if m, ok := src.(*Raster); ok {
		if m.W < 1 || m.H < 1 || m.Channels < 1 || m.Bits < 1 || m.Bits > wordBits || len(m.Pix)/m.Channels/m.W != m.H || len(m.Pix) != m.W*m.H*m.Channels {
			return nil, fmt.Errorf("the image has %d values for %dx%d pixels of %d channels with %d bits", len(m.Pix), m.W, m.H, m.Channels, m.Bits)
		}
		return m.With(channels)
	}
	rgb, err := FromImage(src, limits) // also checks src
	if err != nil {
		return nil, err
	}
	if m := stored(src); m != nil {
		return m.With(channels)
	}
	return rasterOf(rgb).With(channels)
}

// stored keeps the values of an image; nil where that is none of the types that do.
func stored(src image.Image) *Raster {
	size := src.Bounds().Size()
	read := func(channels, bits int, pix []uint8, stride int) *Raster {
		m := NewRaster(size.X, size.Y, channels, bits)
		for y := range m.H {
			for i := range m.W * channels {
				m.Pix[y*m.W*channels+i] = sampleOf(pix[y*stride:], i, bits)
			}
		}
		return m
	}
	switch s := src.(type) {
	case *image.Gray:
		return read(1, byteBits, s.Pix, s.Stride)
	case *image.Gray16:
		return read(1, wordBits, s.Pix, s.Stride)
	case *image.NRGBA:
		return read(4, byteBits, s.Pix, s.Stride)
	case *image.NRGBA64:
		return read(4, wordBits, s.Pix, s.Stride)
	}
	return nil
}
