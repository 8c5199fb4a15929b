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

// A file in arithmetic coding may have thousands of pixels a byte.
func TestDecodeFlatJPEG(t *testing.T) {
	m := decodeFile(t, "jpeg/testdata/flat-arithmetic.jpg")
	if m.W != 2000 || m.H != 1000 {
		t.Errorf("%dx%d", m.W, m.H)
	}
}

// The estimate of memory follows the form of the file and the scale.
func TestJPEGMemory(t *testing.T) {
	content := photo(t) // 500x375, with chroma of half the resolution
	for n, want := range map[int]int64{1: 512*384 + 2*256*192, 2: 3 * 256 * 192, 4: 3 * 128 * 96, 8: 3 * 64 * 48} {
		if got := jpegMemory(content, n); got != want {
			t.Errorf("scale %d: %d bytes, want %d", n, got, want)
		}
	}
	if got := jpegMemory(content[:20], 1); got != 0 {
		t.Errorf("half a header: %d bytes", got)
	}
}
