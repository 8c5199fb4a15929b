package data

import (
	"cmp"
	"fmt"
)

// Format says how images of one kind are decoded. Its functions may be called by any number of goroutines. They get content of any form whose
// first bytes are those of the kind, and their errors do not name the file.
type Format struct {
	// Size returns the number of columns and rows. It allocates no more than a header needs.
	Size func(content []byte) (w, h int, err error)
	// Decode decodes an image whose size was checked.
	Decode func(content []byte) (Image, error)
	// DecodeReduced decodes an image at 1/2, 1/4 or 1/8 of its size, the quotients rounded up. It may be nil: then blocks of pixels are averaged.
	DecodeReduced func(content []byte, n int) (Image, error)
	// PixelsPerByte bounds how many pixels a byte of the format can hold; 0 means no bound.
	PixelsPerByte int64
	// BytesPerPixel is how much memory decoding takes for each pixel; 0 means 4.
	BytesPerPixel int
	// Memory returns how many bytes decoding takes at 1/n of the size, in place of BytesPerPixel. n is 1 where DecodeReduced is nil. It may be nil.
	Memory func(content []byte, n int) int64
	// Orientation returns the EXIF orientation, 1 to 8, or another number where the content has none. It may be nil.
	Orientation func(content []byte) int
	// Turned says that the orientation belongs to the format: it is followed without the option ExifTranspose.
	Turned bool

	// raster returns how many channels a file stores, and what decodes their values; nil where values are RGB. It is called after Size was checked.
	raster func(content []byte) (channels int, decode func() (*Raster, error), err error)
}

// memory returns how many bytes decoding an image of w x h takes at 1/n of its size.
func (f Format) memory(content []byte, w, h, n int) int64 {
	if f.Memory != nil {
		return f.Memory(content, n)
	}
	return int64(w) * int64(h) * int64(cmp.Or(f.BytesPerPixel, 4))
}

// formats holds the formats by their names in package filekind.
//
// Deflate packs at most 1032 bytes into one, and at one bit each a byte holds 8 pixels. A code of LZW has at least 3 bits and stands for at most 4096
// pixels. The smallest sample of Netpbm takes a bit. Package jpeg has a bound of its own. Runs in BMP, fax lines in TIFF and WebP can repeat pixels
// at no cost.
//
// An image of RGB takes 3 bytes a pixel. Of a PNG file that is cut short in its last row there may be two. A lossless WebP file with a palette takes 4
// bytes before its colours are looked up and 4 behind.
var formats = map[string]Format{
	"jpeg":   {Size: jpegConfig, Decode: decodeJPEG, DecodeReduced: decodeScaledJPEG, Memory: jpegMemory, Orientation: jpegOrientation},
	"png":    {Size: pngSize, Decode: decodePNG, PixelsPerByte: 8 * 1032, BytesPerPixel: 8, Orientation: pngOrientation, raster: pngRaster},
	"gif":    {Size: gifSize, Decode: decodeGIF, PixelsPerByte: 8 * 4096 / 3},
	"webp":   {Size: webpSize, Decode: decodeWebP, BytesPerPixel: 8, Orientation: webpOrientation},
	"bmp":    {Size: bmpSize, Decode: decodeBMP},
	"tiff":   {Size: tiffSize, Decode: decodeTIFF, Memory: tiffMemory, Orientation: tiffOrientation, Turned: true, raster: tiffRaster},
	"netpbm": {Size: netpbmSize, Decode: decodeNetpbm, PixelsPerByte: 8},

	// Its first frame is decoded by itself, beside the canvas.
	"webp-animated": {Size: canvasSize, Decode: decodeAnimatedWebP, BytesPerPixel: 12, Orientation: webpOrientation},
}

// RegisterFormat adds the images of a kind to those that this package decodes. kind is a name of package filekind, such as "heic" or
// "avif". It is called from init functions, before any image is decoded. It panics when the kind is decoded already, or when f lacks a
// function.
func RegisterFormat(kind string, f Format) {
	if _, ok := formats[kind]; ok {
		panic(fmt.Sprintf("data: RegisterFormat: %s is decoded already", kind))
	}
	if kind == "" || f.Size == nil || f.Decode == nil {
		panic(fmt.Sprintf("data: RegisterFormat: kind %q lacks its name or a function", kind))
	}
	formats[kind] = f
}
