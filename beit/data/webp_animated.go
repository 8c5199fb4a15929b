package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
)

func init() {
	RegisterFormat("webp-animated", Format{Size: canvasSize, Decode: decodeAnimatedWebP, Orientation: webpOrientation})
}

// decodeAnimatedWebP decodes the first frame of an animated WebP file, as libwebp shows it: on a canvas of clear black.
func decodeAnimatedWebP(content []byte) (Image, error) {
	w, h, err := canvasSize(content)
	if err != nil {
		return nil, err
	}
	at, still, err := firstWebPFrame(content)
	if err != nil {
		return nil, err
	}
	if !at.In(image.Rect(0, 0, w, h)) {
		return nil, fmt.Errorf("its first frame at %v leaves the canvas of %dx%d", at, w, h)
	}
	frame, err := decodeWebP(still)
	if err != nil {
		return nil, err
	}
	if at.Size() == image.Pt(w, h) {
		return frame, nil
	}
	canvas, part := NewRGB(w, h), whole(frame)
	for y := range part.H {
		copy(canvas.row(at.Min.Y+y, at.Min.X, at.Max.X), part.row(y, 0, part.W))
	}
	return canvas, nil
}

// canvasSize reads the size of the canvas of an animated WebP file.
func canvasSize(content []byte) (w, h int, err error) {
	const extended, head = "WEBPVP8X", 30
	if len(content) < head || string(content[8:16]) != extended {
		return 0, 0, fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
	}
	return 1 + little24(content[24:]), 1 + little24(content[27:]), nil
}

// little24 is the number of three bytes at the beginning of b.
func little24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// Chunks of a WebP file, as its container's specification describes them.
const (
	webpHead      = 12 // RIFF, its size, WEBP
	webpFrameHead = 16 // place and size of a frame, its duration and flags
)

// webpChunks calls use for the chunks in b until it returns false. A chunk that is cut short ends them.
func webpChunks(b []byte, use func(kind string, body []byte) bool) {
	for len(b) >= 8 {
		size := uint64(binary.LittleEndian.Uint32(b[4:]))
		if 8+size > uint64(len(b)) || !use(string(b[:4]), b[8:8+size]) {
			return
		}
		b = b[min(8+size+size%2, uint64(len(b))):]
	}
}

// firstWebPFrame returns the first frame as a file of its own, and its place on the canvas.
func firstWebPFrame(content []byte) (at image.Rectangle, still []byte, err error) {
	var head, chunks []byte
	webpChunks(content[min(webpHead, len(content)):], func(kind string, body []byte) bool {
		if kind == "ANMF" && len(body) >= webpFrameHead {
			head, chunks = body[:webpFrameHead], body[webpFrameHead:]
		}
		return head == nil
	})
	if head == nil {
		return at, nil, errors.New("it has no whole frame")
	}
	corner := image.Pt(2*little24(head), 2*little24(head[3:]))
	at = image.Rectangle{corner, corner.Add(image.Pt(1+little24(head[6:]), 1+little24(head[9:])))}
	var alpha, pixels []byte
	kind := ""
	webpChunks(chunks, func(k string, body []byte) bool {
		switch k {
		case "ALPH":
			alpha = body
		case "VP8 ", "VP8L":
			kind, pixels = k, body
		}
		return pixels == nil
	})
	if pixels == nil {
		return at, nil, errors.New("its first frame is cut short")
	}
	bare := appendWebPChunk(nil, "RIFF", appendWebPChunk([]byte("WEBP"), kind, pixels))
	if w, h, err := webpSize(bare); err != nil || at.Size() != image.Pt(w, h) {
		return at, nil, fmt.Errorf("its first frame is of %dx%d, where its header says %v (%v)", w, h, at.Size(), err)
	}
	if alpha == nil || kind != "VP8 " {
		return at, bare, nil
	}
	const hasAlpha = 0x10
	body := appendWebPChunk([]byte("WEBP"), "VP8X", append([]byte{hasAlpha, 0, 0, 0}, head[6:12]...))
	body = appendWebPChunk(body, "ALPH", alpha)
	body = appendWebPChunk(body, kind, pixels)
	return at, appendWebPChunk(nil, "RIFF", body), nil
}

func appendWebPChunk(to []byte, kind string, body []byte) []byte {
	to = append(to, kind...)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(body)))
	to = append(to, body...)
	return append(to, make([]byte, len(body)%2)...)
}
