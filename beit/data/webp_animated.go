package data

import (
	"errors"
	"fmt"
	"image"
	"io"
)

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

// firstWebPFrame returns the first frame as a file of its own, and its place on the canvas. Its alpha is left away.
func firstWebPFrame(content []byte) (at image.Rectangle, still []byte, err error) {
	const head = 16 // place and size of a frame, its duration and flags
	for kind, frame := range webpChunks(content[min(webpHead, len(content)):]) {
		if kind != "ANMF" || len(frame) < head {
			continue
		}
		corner := image.Pt(2*little24(frame), 2*little24(frame[3:]))
		at = image.Rectangle{corner, corner.Add(image.Pt(1+little24(frame[6:]), 1+little24(frame[9:])))}
		kind, pixels := webpPixels(frame[head:])
		if kind == "" {
			return at, nil, errors.New("its first frame is cut short")
		}
		still = webpFile(kind, pixels)
		if w, h, err := webpSize(still); err != nil || at.Size() != image.Pt(w, h) {
			return at, nil, fmt.Errorf("its first frame is of %dx%d, where its header says %v (%v)", w, h, at.Size(), err)
		}
		return at, still, nil
	}
	return at, nil, errors.New("it has no whole frame")
}
