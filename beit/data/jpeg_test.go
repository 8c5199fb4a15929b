package data

import (
	"image"
	"testing"
)

// A scaled image is a whole Image of its own.
func TestDecodeScaledJPEG(t *testing.T) {
	content := photo(t) // 500x375
	for scale, want := range map[int]image.Point{1: {500, 375}, 2: {250, 188}, 4: {125, 94}, 8: {63, 47}} {
		m, err := decodeScaledJPEG(content, scale)
		if err != nil {
			t.Fatal(err)
		}
		if all := whole(m); all.Bounds().Max != want {
			t.Errorf("scale %d: %v, want %v", scale, all.Bounds().Max, want)
		}
	}
}
