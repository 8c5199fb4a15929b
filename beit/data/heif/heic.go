package heif

import (
	"errors"
	"fmt"
	"image"

	_ "github.com/gen2brain/heic" // holds the library
	_ "unsafe"                    // for go:linkname

	"github.com/gobeit/gobeit/beit/data"
)

// Package heic v0.4.5 does not serve by itself. It takes rows of less than 64 pixels to be shorter than libheif makes them, and gives the memory of
// the pixels back before it returns them, which overwrites the first ones. So its library is called from here.
//
//go:linkname heifWasm github.com/gen2brain/heic.heifWasm
var heifWasm []byte

var libheif = newLibrary(&heifWasm)

// Numbers of libheif.
const (
	heifYCbCr      = 0
	heifRGB        = 1
	heifMonochrome = 2
	heifNoChroma   = 0
)

// heifSubsampling are libheif's numbers of chroma formats.
var heifSubsampling = map[int]image.YCbCrSubsampleRatio{
	1: image.YCbCrSubsampleRatio420, 2: image.YCbCrSubsampleRatio422, 3: image.YCbCrSubsampleRatio444,
}

// Pixels that the memory of WebAssembly, of 4 GB, has room for, and the memory that each takes.
const (
	heicBytes, heicPixels = 32, 100e6
	avifBytes, avifPixels = 100, 36e6
)

// DecodeHEIC decodes the primary image of a HEIC file, turned as its properties say: the library does that.
func DecodeHEIC(content []byte, limits data.Limits) (*data.RGB, error) {
	m, err := checked(content, limits, heicPixels)
	if err != nil {
		return nil, err
	}
	return libheif.decode(patience(m.width, m.height), func(at *memory) (*data.RGB, error) { return decodeHEIC(at, m, asGrid(content, m)) })
}

// checked reads the boxes of a file, and compares the size in them with the limits and with the most that its library takes.
func checked(content []byte, limits data.Limits, most int) (item, error) {
	m, err := readItem(content)
	if err != nil {
		return m, err
	}
	if most = min(most, limits.Pixels); m.largest.X > most/m.largest.Y {
		return m, fmt.Errorf("%dx%d pixels: the limit is %d in all", m.largest.X, m.largest.Y, most)
	}
	return m, nil
}

// errRefused is for a file whose boxes are right.
var errRefused = errors.New("the decoder refuses it: the data are damaged, or of a rare kind: convert it to JPEG or PNG first")

// decodeHEIC calls the library twice: for the form of the pixels, and for them.
func decodeHEIC(at *memory, m item, content []byte) (*data.RGB, error) {
	in, err := at.store(content)
	if err != nil {
		return nil, err
	}
	form, err := at.allocate(5 * 4)
	if err != nil {
		return nil, err
	}
	call := func(headOnly, out uint64) error {
		done, err := at.call("decode", in, uint64(len(content)), headOnly, form, form+4, form+8, form+12, form+16, out)
		if err == nil && done == 0 {
			err = errRefused
		}
		return err
	}
	if err := call(1, 0); err != nil {
		return nil, err
	}
	numbers := at.numbers(form, 4)
	w, h, space, chroma := numbers[0], numbers[1], numbers[2], numbers[3]
	if w < 1 || h < 1 || w > m.width*m.height/h {
		return nil, fmt.Errorf("decodes to %dx%d pixels, where its boxes say %dx%d", w, h, m.width, m.height)
	}
	pixels := heicPixelsOf(w, h, space, chroma)
	if pixels == nil {
		return nil, fmt.Errorf("%w (colour space %d, chroma %d)", errRefused, space, chroma)
	}
	out, err := at.allocate(pixels.size)
	if err != nil {
		return nil, err
	}
	if err := call(0, out); err != nil {
		return nil, err
	}
	return pixels.rgb(at.bytes(out, pixels.size), m.colour), nil
}

// pixelForm is how the library lays out pixels.
type pixelForm struct {
	size int // bytes
	rgb  func(pix []byte, c colour) *data.RGB
}

// heicPixelsOf returns the form of an image; nil where the library cannot give its pixels.
func heicPixelsOf(w, h, space, chroma int) *pixelForm {
	if space == heifYCbCr && chroma == heifNoChroma {
		space = heifMonochrome
	}
	switch space {
	case heifYCbCr:
		ratio, ok := heifSubsampling[chroma]
		if !ok {
			return nil
		}
		m := &image.YCbCr{SubsampleRatio: ratio, Rect: image.Rect(0, 0, w, h), YStride: heifStride(w, 1)}
		cw, ch := w, h
		if ratio != image.YCbCrSubsampleRatio444 {
			cw = (w + 1) / 2
		}
		if ratio == image.YCbCrSubsampleRatio420 {
			ch = (h + 1) / 2
		}
		m.CStride = heifStride(cw, 1)
		luma, chroma := m.YStride*h, m.CStride*ch
		return &pixelForm{luma + 2*chroma, func(pix []byte, c colour) *data.RGB {
			m.Y, m.Cb, m.Cr = pix[:luma], pix[luma:luma+chroma], pix[luma+chroma:]
			return c.rgb(m)
		}}
	case heifMonochrome:
		stride := heifStride(w, 1)
		return &pixelForm{stride * h, func(pix []byte, _ colour) *data.RGB { return gather(pix, w, h, stride, 1) }}
	case heifRGB:
		stride := heifStride(w, 4)
		return &pixelForm{stride * h, func(pix []byte, _ colour) *data.RGB { return gather(pix, w, h, stride, 4) }}
	}
	return nil
}

// heifStride is how many bytes a row takes in libheif: at least 64 pixels, and a multiple of 16 bytes.
func heifStride(w, bytesPerPixel int) int { return (max(w, 64)*bytesPerPixel + 15) &^ 15 }

// gather takes the colours of rows of grey, or of red, green, blue and alpha.
func gather(pix []byte, w, h, stride, bytesPerPixel int) *data.RGB {
	out := data.NewRGB(w, h)
	green := min(bytesPerPixel-1, 1)
	for y := range h {
		row := pix[y*stride:]
		for x := range w {
			from, to := row[x*bytesPerPixel:], out.Pix[3*(y*w+x):]
			to[0], to[1], to[2] = from[0], from[green], from[2*green]
		}
	}
	return out
}
