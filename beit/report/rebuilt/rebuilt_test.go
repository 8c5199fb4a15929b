package rebuilt

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/beit/infer"
)

// content is an image of which one patch of four is masked, and rebuilt in white.
func content() *Content {
	seen, made := data.NewRGB(4, 4), data.NewRGB(4, 4)
	for i := range made.Pix {
		made.Pix[i] = 255
	}
	return &Content{Model: "<b>model", Grid: 2, Standardised: true, Images: []Image{{
		Name: "<i>cat.jpg", Mask: []bool{false, true, false, false}, Reconstruction: infer.Reconstruction{Seen: seen, Rebuilt: made},
	}}}
}

// The page has the three drawings, and names as text; the note stands there only where it is true.
func TestPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.html")
	c := content()
	if err := WritePage(file, c); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for part, count := range map[string]int{"<figure": 3, "1 of 4 patches are masked": 1, "&lt;i&gt;cat.jpg": 4, "<i>cat": 0, "<b>model": 0, "deviation of each masked patch": 1, "2 × 2": 1} {
		if got := strings.Count(string(text), part); got != count {
			t.Errorf("%q is there %d times, want %d", part, got, count)
		}
	}
	c.Standardised = false
	if err := WritePage(file, c); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); strings.Contains(string(text), "deviation") {
		t.Error("the note stands where it is not true")
	}
	if err := WritePage(filepath.Join(file, "y.html"), c); err == nil || !strings.Contains(err.Error(), "y.html") {
		t.Errorf("written into a file: error %v", err)
	}
}

// The sheet has room for three drawings beside each other.
func TestPNG(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.png")
	if err := WritePNG(file, content()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(text))
	if err != nil || m.Bounds().Dx() < 3*drawingSide {
		t.Fatalf("%v, error %v", m, err)
	}
}
