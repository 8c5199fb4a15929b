package data

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // registers the format
	_ "image/png"  // registers the format
	"io"
	"io/fs"
)

// Limits bound what a picture may cost.
type Limits struct {
	Pixels int   // width times height
	Bytes  int64 // size of the file
}

// DefaultLimits allow 67 million pixels and files of 128 MiB.
var DefaultLimits = Limits{Pixels: 1 << 26, Bytes: 128 << 20}

// ReadImage decodes the JPEG or PNG file.
func ReadImage(file fs.File, limits Limits) (*Image, error) {
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
	return Decode(content, limits)
}

// Decode decodes a JPEG or PNG picture to RGB. Alpha is dropped, grey and palette colours are expanded,
// 16 bits are cut to 8, and an EXIF orientation is ignored. The header is checked before anything is
// allocated for the pixels.
func Decode(content []byte, limits Limits) (m *Image, err error) {
	// The decoders of the standard library are written not to panic, but pictures come from anywhere
	// and one bad file must not end a run of days: here alone a panic becomes an error.
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("decode picture: decoder failed: %v", p)
		}
	}()
	if len(content) == 0 {
		return nil, fmt.Errorf("decode picture: the file is empty")
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decode picture: %w", err)
	}
	if err := checkHeader(config, format, len(content), limits); err != nil {
		return nil, err
	}
	decoded, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("decode %s picture: %w", format, err)
	}
	return fromImage(decoded), nil
}

// pixelsPerByte bounds how many pixels a byte of each format can hold: JPEG spends at least one bit on
// the DC coefficient of each block of 64 pixels, and deflate packs at most 1032 bytes, 8 pixels each at one
// bit, into one.
var pixelsPerByte = map[string]int64{"jpeg": 512, "png": 8 * 1032}

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
	if int64(c.Width)*int64(c.Height) > dense*int64(size) {
		return fmt.Errorf("decode %s picture: %d bytes are too few for %dx%d pixels", format, size, c.Width, c.Height)
	}
	return nil
}
