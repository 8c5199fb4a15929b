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

// Limits bound what a picture may cost.
type Limits struct {
	Pixels int   // width times height
	Bytes  int64 // size of the file
}

// DefaultLimits allow 67 million pixels and files of 128 MiB.
var DefaultLimits = Limits{Pixels: 1 << 26, Bytes: 128 << 20}

// Option changes how pictures are decoded.
type Option func(*settings)

type settings struct{ upright bool }

// Upright turns each picture as the orientation in its EXIF data says. Without it the orientation is ignored, as in the reference, except in
// TIFF files, where it belongs to the format.
func Upright() Option { return func(s *settings) { s.upright = true } }

// ReadImage decodes the file as Decode does.
func ReadImage(file fs.File, limits Limits, options ...Option) (*RGB, error) {
	p, err := readImage(file, limits, options)
	if err != nil {
		return nil, err
	}
	return whole(p), nil
}

func readImage(file fs.File, limits Limits, options []Option) (Image, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > limits.Bytes {
		return nil, fmt.Errorf("picture file of %d bytes: the limit is %d", info.Size(), limits.Bytes)
	}
	content, err := io.ReadAll(io.LimitReader(file, limits.Bytes))
	if err != nil {
		return nil, err
	}
	return DecodeImage(content, limits, options...)
}

// Decode decodes a JPEG, PNG, WebP, BMP or TIFF picture or the first frame of a GIF to RGB. Alpha and transparency are dropped, grey, CMYK
// and palette colours are expanded, 16 bits are cut to the higher 8. Subsampled colour is interpolated as libjpeg and libwebp do. The header
// is checked before anything is allocated for the pixels.
func Decode(content []byte, limits Limits, options ...Option) (*RGB, error) {
	p, err := DecodeImage(content, limits, options...)
	if err != nil {
		return nil, err
	}
	return whole(p), nil
}

// DecodeImage is Decode for those who need a part of the picture only.
func DecodeImage(content []byte, limits Limits, options ...Option) (p Image, err error) {
	// The decoders are written not to panic, but pictures come from anywhere and one bad file must not end
	// a run of days: here alone a panic becomes an error.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("decode picture: decoder failed: %v", r)
		}
	}()
	var s settings
	for _, o := range options {
		o(&s)
	}
	if len(content) == 0 {
		return nil, errors.New("decode picture: the file is empty")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decode picture: %w", err)
	}
	if err := checkHeader(config, format, len(content), limits); err != nil {
		return nil, err
	}
	p, err = decodeFormat(content, format)
	if err != nil {
		return nil, fmt.Errorf("decode %s picture: %w", format, err)
	}
	if s.upright || format == "tiff" {
		p = turn(p, exifOrientation(content, format))
	}
	return p, nil
}

// decodeFormat decodes pixels, by the rules of the format where it has some of its own.
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

// faxNegative reports TIFF files in fax coding whose white runs mean black, as libtiff and the format's definition have it; the
// decoder shows white runs white always.
func faxNegative(content []byte) bool {
	const compression, photometric, blackIsZero = 259, 262, 1
	c := tiffTag(content, compression)
	return c >= 2 && c <= 4 && tiffTag(content, photometric) == blackIsZero
}

// pixelsPerByte bounds how many pixels a byte of each format can hold: JPEG spends at least one bit on the DC coefficient of each block of 64
// pixels, deflate packs at most 1032 bytes, 8 pixels each at one bit, into one, a code of LZW has 3 bits or more and stands for at most
// 4096 pixels, and BMP files are not compressed. WebP and fax lines in TIFF know no bound (0): what does not change
// may cost nothing.
var pixelsPerByte = map[string]int64{"jpeg": 512, "png": 8 * 1032, "gif": 8 * 4096 / 3, "bmp": 8, "webp": 0, "tiff": 0}

func checkHeader(c image.Config, format string, size int, limits Limits) error {
	dense, ok := pixelsPerByte[format]
	if !ok {
		return fmt.Errorf("decode picture: format %s is not read", format)
	}
	if c.Width < 1 || c.Height < 1 {
		return fmt.Errorf("decode %s picture: size %dx%d", format, c.Width, c.Height)
	}
	if c.Width > limits.Pixels/c.Height {
		return fmt.Errorf("decode %s picture: %dx%d pixels: the limit is %d in all", format, c.Width, c.Height, limits.Pixels)
	}
	if dense > 0 && int64(c.Width)*int64(c.Height) > dense*int64(size) {
		return fmt.Errorf("decode %s picture: %d bytes are too few for %dx%d pixels", format, size, c.Width, c.Height)
	}
	return nil
}
