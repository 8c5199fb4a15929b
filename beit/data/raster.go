package data

import (
	"fmt"
	"io/fs"
)

// Raster holds the values that an image file stores, of any number of channels and up to 16 bits: channel c of row y, column x is
// Pix[(y*W+x)*Channels+c], from 0 to 1<<Bits-1. Of a file with a palette they are the indices.
type Raster struct {
	W, H, Channels, Bits int
	Pix                  []uint16   // H*W*Channels
	Palette              [][3]uint8 // colours of the indices; nil without a palette
}

// DecodeRaster decodes a PNG or TIFF file without converting its values. Other formats give the RGB values of DecodeImage. Limits.Pixels counts three
// channels as a pixel. The header is checked before memory for the values is allocated.
func DecodeRaster(content []byte, limits Limits, options ...Option) (*Raster, error) {
	return decodeBy(Format.decodeRaster, content, limits, options)
}

// ReadRaster reads file, decodes it as DecodeRaster does, and makes it an image of so many channels by the rules of Channels.
func ReadRaster(file fs.File, channels int, limits Limits, options ...Option) (*Raster, error) {
	content, err := fileContent(file, limits)
	if err != nil {
		return nil, err
	}
	m, err := DecodeRaster(content, limits, options...)
	if err != nil {
		return nil, err
	}
	return m.With(channels)
}

// decodeRaster is decode for the values that the file stores.
func (f Format) decodeRaster(content []byte, limits Limits, s settings) (*Raster, error) {
	if f.raster == nil {
		s.short = 0
		m, err := f.decode(content, limits, s)
		if err != nil {
			return nil, err
		}
		return rasterOf(whole(m)), nil
	}
	w, h, err := f.Size(content)
	if err != nil {
		return nil, err
	}
	if err := f.checkSize(w, h, len(content), limits); err != nil {
		return nil, err
	}
	channels, decode, err := f.raster(content)
	if err != nil {
		return nil, err
	}
	if most := int64(limits.Pixels) * 3; int64(w)*int64(h) > most/int64(channels) {
		return nil, fmt.Errorf("%dx%d pixels of %d channels: the limit is %d values in all (data.max_pixels)", w, h, channels, most)
	}
	const copies, bytes = 3, 2 // a file that is cut short in its last row is decoded again
	release := decodeMemory.acquire(f.memory(content, w, h, 1) + copies*bytes*int64(channels)*int64(w)*int64(h))
	defer release()
	m, err := decode()
	if err != nil {
		return nil, err
	}
	if f.Orientation != nil && (s.exifTranspose || f.Turned) {
		m = m.transposed(orientation(f.Orientation(content)))
	}
	return m, nil
}

// NewRaster returns an image of zeros.
func NewRaster(w, h, channels, bits int) *Raster {
	return &Raster{W: w, H: h, Channels: channels, Bits: bits, Pix: make([]uint16, w*h*channels)}
}

// rasterOf holds the values of m.
func rasterOf(m *RGB) *Raster {
	r := NewRaster(m.W, m.H, 3, 8)
	for i, v := range m.Pix {
		r.Pix[i] = uint16(v)
	}
	return r
}

// at returns the values of a pixel.
func (m *Raster) at(x, y int) []uint16 {
	i := (y*m.W + x) * m.Channels
	return m.Pix[i : i+m.Channels]
}

// transposed returns m as o says: m itself where o means nothing.
func (m *Raster) transposed(o orientation) *Raster {
	if o < 2 || o > 8 {
		return m
	}
	t := &exifTransposed{&RGB{W: m.W, H: m.H}, o} // which is asked for places alone
	w, h := t.Size()
	out := NewRaster(w, h, m.Channels, m.Bits)
	out.Palette = m.Palette
	for y := range h {
		for x := range w {
			sx, sy := t.from(x, y)
			copy(out.at(x, y), m.at(sx, sy))
		}
	}
	return out
}

// Bytes of samples in files.
const (
	byteBits = 8
	wordBits = 16
)

// pngRaster says how the values of a PNG file are decoded.
func pngRaster(content []byte) (channels int, decode func() (*Raster, error), err error) {
	p, err := parsePNG(content)
	if err != nil {
		return 0, nil, err
	}
	return pngSamples[p.colour].n, func() (*Raster, error) {
		v, err := decodePNGPixels(p, newPNGValues)
		if err != nil {
			return nil, err
		}
		return v.m, nil
	}, nil
}

// pngValues are the pixels of a PNG file as it stores them.
type pngValues struct{ m *Raster }

func newPNGValues(p *pngFile) pngValues {
	m := NewRaster(p.w, p.h, pngSamples[p.colour].n, p.depth)
	if p.colour == pngPalette {
		m.Palette = p.palette[:p.colours:p.colours]
	}
	return pngValues{m}
}

func (v pngValues) bytes() []uint8 {
	b := make([]uint8, 0, 2*len(v.m.Pix))
	for _, x := range v.m.Pix {
		b = append(b, uint8(x>>byteBits), uint8(x))
	}
	return b
}

func (v pngValues) put(row []uint8, x, y, dx, w int) {
	for i := range w {
		px := v.m.at(x+i*dx, y)
		for c := range px {
			px[c] = sampleOf(row, i*len(px)+c, v.m.Bits)
		}
	}
}

// sampleOf returns sample i of a row whose samples have so many bits, the first in the highest bits of a byte, and the higher byte first.
func sampleOf(row []uint8, i, bits int) uint16 {
	switch {
	case bits == wordBits:
		return uint16(row[2*i])<<byteBits | uint16(row[2*i+1])
	case bits == byteBits:
		return uint16(row[i])
	}
	at := i * bits
	return uint16(row[at/byteBits]>>(byteBits-bits-at%byteBits)) & (1<<bits - 1)
}

// tiffRaster says how the values of a TIFF file are decoded.
func tiffRaster(content []byte) (channels int, decode func() (*Raster, error), err error) {
	f, err := parseTIFF(content)
	if err != nil {
		return 0, nil, err
	}
	if f.compression == tiffJPEG { // whose values are colours that were converted
		return 3, func() (*Raster, error) {
			m, err := decodeTIFF(content)
			if err != nil {
				return nil, err
			}
			return rasterOf(whole(m)), nil
		}, nil
	}
	if f.bits > wordBits || f.format != tiffUnsigned {
		return 0, nil, fmt.Errorf("channels of %d bits and format %d are not read: they must be unsigned, of at most 16 bits", f.bits, f.format)
	}
	return f.samples, f.decodeRaster, nil
}

func (f *tiffFile) decodeRaster() (*Raster, error) {
	m := NewRaster(f.w, f.h, f.samples, f.bits)
	if f.photometric == tiffPalette {
		m.Palette = f.palette[: 1<<f.bits : 1<<f.bits]
	}
	inverted := uint16(0)
	if f.photometric == tiffWhiteIsZero {
		inverted = 1<<f.bits - 1
	}
	put := func(y, x0, x1 int, pixels []byte) {
		for x := x0; x < x1; x++ {
			px := m.at(x, y)
			for c := range px {
				i := (x-x0)*f.samples + c
				if f.bits == wordBits {
					px[c] = f.tags.order.Uint16(pixels[2*i:]) ^ inverted
					continue
				}
				px[c] = sampleOf(pixels, i, f.bits) ^ inverted
			}
		}
	}
	err := f.eachBlock(func(i, x, y int) error { return f.decodeBlock(put, i, x, y) })
	if err != nil {
		return nil, err
	}
	return m, nil
}
