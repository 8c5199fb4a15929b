package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"iter"
	"slices"

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

// webpHead is how long the head of a WebP file is: RIFF, its size, WEBP.
const webpHead = 12

// webpChunks goes over the chunks in b: their kinds and bodies. A chunk that is cut short ends them.
func webpChunks(b []byte) iter.Seq2[string, []byte] {
	const head = 8 // kind and size
	return func(yield func(string, []byte) bool) {
		for len(b) >= head {
			size := uint64(binary.LittleEndian.Uint32(b[4:]))
			if head+size > uint64(len(b)) || !yield(string(b[:4]), b[head:head+size]) {
				return
			}
			b = b[min(head+size+size%2, uint64(len(b))):]
		}
	}
}

func appendWebPChunk(to []byte, kind string, body []byte) []byte {
	to = append(to, kind...)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(body)))
	to = append(to, body...)
	return append(to, make([]byte, len(body)%2)...)
}

// webpPixels returns the kind and the body of the first chunk with pixels in b: VP8 for lossy ones, VP8L for lossless ones. kind is empty where
// there is none.
func webpPixels(b []byte) (kind string, body []byte) {
	for kind, body := range webpChunks(b) {
		if kind == "VP8 " || kind == "VP8L" {
			return kind, body
		}
	}
	return "", nil
}

// webpFile makes a file of a chunk with pixels.
func webpFile(kind string, pixels []byte) []byte {
	return appendWebPChunk(nil, "RIFF", appendWebPChunk([]byte("WEBP"), kind, pixels))
}

// checkWebP checks that the file and its chunks are as long as they say, up to that with the pixels: decoders allocate by these lengths.
func checkWebP(content []byte) error {
	const sized = 8 // RIFF and its size, which counts what follows
	if len(content) < webpHead || int64(binary.LittleEndian.Uint32(content[4:])) > int64(len(content)-sized) {
		return fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
	}
	if kind, _ := webpPixels(content[webpHead:]); kind == "" {
		return fmt.Errorf("the pixels are missing or cut short: %w", io.ErrUnexpectedEOF)
	}
	return nil
}

// decodeWebP decodes a WebP file of one frame. The colours of clear pixels are kept. libwebp takes some zeros behind lossless pixels for granted.
func decodeWebP(content []byte) (Image, error) {
	decoded, err := webp.Decode(bytes.NewReader(content))
	if kind, pixels := webpPixels(content[webpHead:]); kind == "VP8L" && errors.Is(err, io.ErrUnexpectedEOF) {
		decoded, err = webp.Decode(bytes.NewReader(webpFile(kind, slices.Concat(pixels, make([]byte, 8)))))
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
