package data

import (
	"image"
	"os"
	"strings"
	"testing"
)

// Frames that are cut short, or lie outside the canvas, are errors.
func TestAnimatedWebPFails(t *testing.T) {
	whole, err := os.ReadFile("testdata/pillow/animated-off.webp")
	if err != nil {
		t.Fatal(err)
	}
	frame := strings.Index(string(whole), "ANMF")
	outside := []byte(string(whole))
	outside[frame+8] = 40
	for _, c := range []struct {
		name, want string
		content    []byte
	}{
		{"cut in its header", "cut short", whole[:25]},
		{"cut before its frame", "no whole frame", whole[:frame]},
		{"cut in its frame", "no whole frame", whole[:frame+40]},
		{"outside", "leaves the canvas", outside},
	} {
		if m, err := Decode(c.content, DefaultLimits); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v, want an error with %q", c.name, m, err, c.want)
		}
	}
}

// A first frame is found in any bytes, or refused.
func FuzzAnimatedWebP(f *testing.F) {
	for _, name := range []string{"off", "off2", "alpha", "lossy"} {
		content, err := os.ReadFile("testdata/pillow/animated-" + name + ".webp")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		at, still, err := firstWebPFrame(content)
		if err == nil && (at.Empty() || len(still) < len("RIFF1234WEBP")) {
			t.Errorf("a frame at %v in %d bytes", at, len(still))
		}
		if w, h, err := canvasSize(content); err == nil && image.Pt(w, h).In(image.Rect(0, 0, 1000, 1000)) {
			_, _ = decodeAnimatedWebP(content)
		}
	})
}
