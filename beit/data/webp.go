package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/webp"
)

// webpSize reads the size of a WebP file.
func webpSize(content []byte) (w, h int, err error) {
	if err := checkWebP(content); err != nil {
		return 0, 0, err
	}
	c, err := webp.DecodeConfig(bytes.NewReader(content))
	return c.Width, c.Height, err
}

// checkWebP checks that the file and its chunks are as long as they say, up to that with the pixels: decoders allocate by these lengths.
func checkWebP(content []byte) error {
	const head, first = 8, 12
	if len(content) < first || int64(binary.LittleEndian.Uint32(content[4:])) > int64(len(content)-head) {
		return fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
	}
	for rest := content[first:]; len(rest) >= head; {
		size := int64(binary.LittleEndian.Uint32(rest[4:]))
		if head+size > int64(len(rest)) {
			return fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
		}
		if name := string(rest[:4]); name == "VP8 " || name == "VP8L" {
			return nil
		}
		rest = rest[min(head+size+size%2, int64(len(rest))):]
	}
	return fmt.Errorf("the pixels are missing: %w", io.ErrUnexpectedEOF)
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
