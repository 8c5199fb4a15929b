package data

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // registers the format
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format
	"io"
	"io/fs"

	_ "golang.org/x/image/bmp"  // registers the format
	_ "golang.org/x/image/tiff" // registers the format
	_ "golang.org/x/image/webp" // registers the format
)

// Limits bounds the memory that decoding an image may take.
type Limits struct {
	Pixels int   // width times height, at most
	Bytes  int64 // size of the file, at most
}

// DefaultLimits allows 67 million pixels and files of 128 MiB.
var DefaultLimits = Limits{Pixels: 1 << 26, Bytes: 128 << 20}

// Option changes how images are decoded.
type Option func(*settings)

type settings struct {
	exifTranspose bool
	short         int // see Reduce
}

// ExifTranspose rotates and flips each image as the orientation in its EXIF data says, as Pillow's ImageOps.exif_transpose does. Without this
// option the orientation is ignored, except in TIFF files, where it belongs to the format.
func ExifTranspose() Option { return func(s *settings) { s.exifTranspose = true } }

// ReadImage reads file and decodes it as Decode does.
func ReadImage(file fs.File, limits Limits, options ...Option) (*RGB, error) {
	m, err := decodeFrom(file, limits, options)
	if err != nil {
		return nil, err
	}
	return whole(m), nil
}

func decodeFrom(file fs.File, limits Limits, options []Option) (Image, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limits.Bytes {
		return nil, fmt.Errorf("image file of %d bytes: the limit is %d", info.Size(), limits.Bytes)
	}
	content, err := io.ReadAll(io.LimitReader(file, limits.Bytes))
	if err != nil {
		return nil, err
	}
	return DecodeImage(content, limits, options...)
}

// Decode decodes a JPEG, PNG, WebP, BMP or TIFF file or the first frame of a GIF file to RGB. Alpha and transparency are dropped, grey, CMYK
// and palette colours are expanded, and 16 bits are cut to the higher 8. Subsampled chroma is interpolated as libjpeg and libwebp do. The header
// is checked before memory for the pixels is allocated.
func Decode(content []byte, limits Limits, options ...Option) (*RGB, error) {
	m, err := DecodeImage(content, limits, options...)
	if err != nil {
		return nil, err
	}
	return whole(m), nil
}

// DecodeImage decodes like Decode, but converts to RGB only the regions that are asked for.
func DecodeImage(content []byte, limits Limits, options ...Option) (m Image, err error) {
	// The decoders are written not to panic, but one bad file must not end a run of days: here alone a panic becomes an error.
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("decode image: decoder failed: %v", r)
		}
	}()
	var s settings
	for _, o := range options {
		o(&s)
	}
	if len(content) == 0 {
		return nil, errors.New("decode image: the file is empty")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decode image: %w", err)
	}
	if err := checkHeader(config, format, len(content), limits); err != nil {
		return nil, err
	}
	m, err = decodeFormat(content, format)
	if err != nil {
		return nil, fmt.Errorf("decode %s image: %w", format, err)
	}
	if w, h := m.Size(); reduction(w, h, s.short) > 1 {
		m = reduced(whole(m), reduction(w, h, s.short))
	}
	if s.exifTranspose || format == "tiff" {
		m = transposed(m, exifOrientation(content, format))
	}
	return m, nil
}

// decodeFormat decodes the pixels. GIF and TIFF need rules of their own.
func decodeFormat(content []byte, format string) (Image, error) {
	if format == "gif" {
		return decodeGIF(content)
	}
	decoded, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	switch m := decoded.(type) {
	case *image.YCbCr:
		return &planes{m, format == "webp"}, nil
	case *image.NYCbCrA:
		return &planes{&m.YCbCr, format == "webp"}, nil
	}
	m := fromImage(decoded)
	if format == "tiff" && faxNegative(content) {
		for i, v := range m.Pix {
			m.Pix[i] = 255 - v
		}
	}
	return m, nil
}

// faxNegative reports whether a TIFF file in fax coding has white runs that mean black. The decoder always shows white runs white, unlike
// libtiff and the format's definition.
func faxNegative(content []byte) bool {
	const compression, photometric, blackIsZero = 259, 262, 1
	c := tiffTag(content, compression)
	return c >= 2 && c <= 4 && tiffTag(content, photometric) == blackIsZero
}

// pixelsPerByte bounds how many pixels a byte of each format can hold; 0 means no bound. JPEG spends at least one bit on the DC coefficient of
// each block of 64 pixels. Deflate packs at most 1032 bytes into one, and at one bit each a byte holds 8 pixels. A code of LZW has at least 3
// bits and stands for at most 4096 pixels. BMP files are not compressed. WebP and fax lines in TIFF can repeat pixels at no cost.
var pixelsPerByte = map[string]int64{"jpeg": 512, "png": 8 * 1032, "gif": 8 * 4096 / 3, "bmp": 8, "webp": 0, "tiff": 0}

func checkHeader(c image.Config, format string, size int, limits Limits) error {
	dense, ok := pixelsPerByte[format]
	if !ok {
		return fmt.Errorf("decode image: format %s is not read", format)
	}
	if c.Width < 1 || c.Height < 1 {
		return fmt.Errorf("decode %s image: size %dx%d", format, c.Width, c.Height)
	}
	if c.Width > limits.Pixels/c.Height {
		return fmt.Errorf("decode %s image: %dx%d pixels: the limit is %d in all", format, c.Width, c.Height, limits.Pixels)
	}
	if dense > 0 && int64(c.Width)*int64(c.Height) > dense*int64(size) {
		return fmt.Errorf("decode %s image: %d bytes are too few for %dx%d pixels", format, size, c.Width, c.Height)
	}
	return nil
}
