package data

import (
	"bytes"
	"encoding/binary"
	"errors"
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

// padWebP makes a file of the lossless pixels of another, with some zeros behind them: libwebp takes them for granted. It returns nil where the
// pixels are lossy.
func padWebP(content []byte) []byte {
	const head, first, zeros = 8, 12, 8
	for rest := content[first:]; len(rest) >= head; {
		size := int(binary.LittleEndian.Uint32(rest[4:])) // checkWebP saw that it is there
		switch string(rest[:4]) {
		case "VP8L":
			padded := (size + zeros) / 2 * 2
			file := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(first+padded))
			file = binary.LittleEndian.AppendUint32(append(file, "WEBPVP8L"...), uint32(padded))
			return append(append(file, rest[head:head+size]...), make([]byte, padded-size)...)
		case "VP8 ":
			return nil
		}
		rest = rest[min(head+size+size%2, len(rest)):]
	}
	return nil
}

// decodeWebP decodes a WebP file of one frame. The colours of clear pixels are kept.
func decodeWebP(content []byte) (Image, error) {
	decoded, err := webp.Decode(bytes.NewReader(content))
	if padded := padWebP(content); errors.Is(err, io.ErrUnexpectedEOF) && padded != nil {
		decoded, err = webp.Decode(bytes.NewReader(padded))
	}
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
