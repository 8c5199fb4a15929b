package heif

import (
	"image"
	"math"

	"github.com/gobeit/gobeit/beit/data"
)

// colour says how an image was converted to luma and chroma (ITU-T H.273). The zero value stands for what JPEG does, too.
type colour struct {
	matrix  uint64
	limited bool // luma is in [16, 235], chroma in [16, 240]
	known   bool
}

// Matrices of H.273.
const (
	matrixIdentity = 0 // green, blue, red
	matrixBT709    = 1
	matrixBT2020   = 9
)

// read reads the box colr. One that holds an ICC profile says nothing about the matrix.
func (c *colour) read(r *reader) {
	const nclx = 'n'<<24 | 'c'<<16 | 'l'<<8 | 'x'
	if r.uint(4) != nclx {
		return
	}
	r.uint(4) // primaries and transfer
	c.matrix, c.limited, c.known = r.uint(2), r.uint(1)>>7 == 0, true
}

// weights are the shares of red and blue in luma.
func (c colour) weights() (red, blue float64) {
	switch {
	case c.known && c.matrix == matrixBT709:
		return 0.2126, 0.0722
	case c.known && c.matrix == matrixBT2020:
		return 0.2627, 0.0593
	}
	return 0.299, 0.114
}

// rgb converts an image. A pixel gets the chroma sample that covers it, as in libheif.
func (c colour) rgb(m *image.YCbCr) *data.RGB {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	out := data.NewRGB(w, h)
	convert := c.converter()
	for y := range h {
		for x := range w {
			at := m.COffset(x, y)
			convert(out.Pix[3*(y*w+x):], m.Y[m.YOffset(x, y)], m.Cb[at], m.Cr[at])
		}
	}
	return out
}

// converter returns the function that writes the colour of a pixel.
func (c colour) converter() func(to []byte, y, cb, cr byte) {
	if c.known && c.matrix == matrixIdentity {
		return func(to []byte, y, cb, cr byte) { to[0], to[1], to[2] = cr, y, cb }
	}
	red, blue := c.weights()
	green := 1 - red - blue
	zero, luma, chroma := 0.0, 1.0, 1.0
	if c.limited {
		zero, luma, chroma = 16, 255.0/219, 255.0/224
	}
	ofR, ofB := 2*(1-red)*chroma, 2*(1-blue)*chroma
	return func(to []byte, y, cb, cr byte) {
		l, b, r := (float64(y)-zero)*luma, float64(cb)-128, float64(cr)-128
		to[0] = clamp(l + ofR*r)
		to[1] = clamp(l - (red*ofR*r+blue*ofB*b)/green)
		to[2] = clamp(l + ofB*b)
	}
}

func clamp(v float64) byte { return byte(math.Round(min(max(v, 0), 255))) }
