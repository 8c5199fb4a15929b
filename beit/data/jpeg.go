package data

import (
	"bytes"
	"image"
	"image/jpeg"
)

// jpegConfig reads the size of a JPEG file.
func jpegConfig(content []byte) (w, h int, err error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(content))
	return c.Width, c.Height, err
}

// decodeJPEG decodes a JPEG file.
func decodeJPEG(content []byte) (Image, error) {
	decoded, err := jpeg.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	if m, ok := decoded.(*image.YCbCr); ok {
		return newPlanes(m, false), nil
	}
	return fromImage(decoded), nil
}
