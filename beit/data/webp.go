package data

import (
	"bytes"
	"fmt"
	"image"

	"golang.org/x/image/webp"
)

// webpSize reads the size of a WebP file.
func webpSize(content []byte) (w, h int, err error) {
	c, err := webp.DecodeConfig(bytes.NewReader(content))
	return c.Width, c.Height, err
}

// decodeWebP decodes a WebP file of one frame. The colours of clear pixels are kept.
func decodeWebP(content []byte) (Image, error) {
	decoded, err := webp.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	switch m := decoded.(type) {
	case *image.YCbCr:
		return newPlanes(m, true), nil
	case *image.NYCbCrA:
		return newPlanes(&m.YCbCr, true), nil
	case *image.NRGBA:
		return fromImage(m), nil
	}
	return nil, fmt.Errorf("decoded to %T", decoded)
}
