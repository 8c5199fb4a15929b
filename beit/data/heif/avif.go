package heif

import (
	"encoding/binary"
	"fmt"
	"math"

	_ "github.com/gen2brain/avif" // holds the library
	_ "unsafe"                    // for go:linkname

	"github.com/gobeit/gobeit/beit/data"
)

// Package avif v0.4.4 does not serve by itself: it does not say when the library decoded nothing, and an image of zeros comes out.
//
//go:linkname decodeWasm github.com/gen2brain/avif.decodeWasm
var decodeWasm []byte

var libavif = newLibrary(&decodeWasm)

// DecodeAVIF decodes the primary image of an AVIF file, turned as its properties say: the library leaves that to its caller.
func DecodeAVIF(content []byte, limits data.Limits) (*data.RGB, error) {
	m, err := checked(content, limits, avifPixels)
	if err != nil {
		return nil, err
	}
	stored, err := libavif.decode(patience(m.width, m.height), func(at *memory) (*data.RGB, error) { return decodeAVIF(at, m, content) })
	if err != nil {
		return nil, err
	}
	return m.turned.show(stored), nil
}

// decodeAVIF calls the library twice: for the form of the pixels, and for them.
func decodeAVIF(at *memory, m item, content []byte) (*data.RGB, error) {
	in, err := at.store(content)
	if err != nil {
		return nil, err
	}
	form, err := at.allocate(4 * 4)
	if err != nil {
		return nil, err
	}
	duration, err := at.store(binary.LittleEndian.AppendUint64(nil, math.Float64bits(math.NaN())))
	if err != nil {
		return nil, err
	}
	call := func(headOnly, out uint64) error {
		done, err := at.call("decode", in, uint64(len(content)), headOnly, 0, form, form+4, form+8, form+12, duration, out)
		if err == nil && done == 0 {
			err = errRefused
		}
		return err
	}
	if err := call(1, 0); err != nil {
		return nil, err
	}
	numbers := at.numbers(form, 3)
	w, h, depth := numbers[0], numbers[1], numbers[2]
	if w < 1 || h < 1 || w > m.width*m.height/h {
		return nil, fmt.Errorf("decodes to %dx%d pixels, where its boxes say %dx%d", w, h, m.width, m.height)
	}
	bytesPerColour := 1
	if depth > 8 {
		bytesPerColour = 2
	}
	size := w * h * 4 * bytesPerColour
	out, err := at.allocate(size)
	if err != nil {
		return nil, err
	}
	if err := call(0, out); err != nil {
		return nil, err
	}
	if math.IsNaN(math.Float64frombits(binary.LittleEndian.Uint64(at.bytes(duration, 8)))) { // no image was there to take its place
		return nil, errRefused
	}
	return opaque(at.bytes(out, size), w, h, bytesPerColour), nil
}

// opaque drops the alpha that red, green and blue were multiplied by. Of two bytes the second is the higher.
func opaque(pix []byte, w, h, bytesPerColour int) *data.RGB {
	out := data.NewRGB(w, h)
	colour := func(i int) uint32 {
		if bytesPerColour == 1 {
			return uint32(pix[i]) * 257
		}
		return uint32(binary.LittleEndian.Uint16(pix[2*i:]))
	}
	for i := range w * h {
		alpha := colour(4*i + 3)
		for k := range 3 {
			out.Pix[3*i+k] = byte(straight(colour(4*i+k), alpha) >> 8)
		}
	}
	return out
}

// straight divides a colour of 16 bits by the alpha that it was multiplied by.
func straight(v, alpha uint32) uint32 {
	if alpha == 0 || alpha == 0xffff {
		return v
	}
	return uint32(min((uint64(v)*0xffff+uint64(alpha)/2)/uint64(alpha), 0xffff))
}
