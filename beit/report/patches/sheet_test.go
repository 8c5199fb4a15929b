package patches

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// flat is an image of one colour.
func flat(side int, c color.RGBA) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	fill(m, m.Rect, c)
	return m
}

// Every panel is on the sheet as it is, and none covers another.
func TestSheet(t *testing.T) {
	colours := []color.RGBA{{200, 0, 0, 255}, {0, 200, 0, 255}, {0, 0, 200, 255}, {200, 200, 0, 255}}
	var panels []Panel
	for _, c := range colours {
		panels = append(panels, Panel{Title: "a title that is much longer than the image is wide", Image: flat(50, c)})
	}
	panels[1].Legend = &Range{0, 1}
	sheet := Sheet([]Section{{Title: "photo.jpg", Panels: panels[:3], Across: 2}, {Panels: panels[3:]}})
	counts := map[color.RGBA]int{}
	for y := range sheet.Rect.Dy() {
		for x := range sheet.Rect.Dx() {
			counts[sheet.RGBAAt(x, y)]++
		}
	}
	for _, c := range colours {
		if counts[c] != 2500 {
			t.Errorf("%d pixels of a panel of 2500", counts[c])
		}
	}
	if counts[Map[255]] == 0 || counts[Map[0]] == 0 {
		t.Error("no legend")
	}
}

func TestWrite(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.png")
	if err := Write(name, []Section{{Title: "\x1b]0;", Panels: []Panel{{Title: "one", Image: flat(9, color.RGBA{1, 2, 3, 255})}}}}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := png.Decode(bytes.NewReader(content)); err != nil {
		t.Error(err)
	}
	if err := Write(filepath.Join(name, "x.png"), nil); err == nil || !strings.Contains(err.Error(), "x.png") {
		t.Errorf("a file below a file: error %v", err)
	}
}

// The true code is framed among the predicted ones, and a code without a patch is shown by its colour.
func TestGuesses(t *testing.T) {
	white := data.NewRGB(2, 2)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	draw := func(code int32) *image.RGBA {
		return Guesses(white, Guess{Code: 3, Probability: 0.2, Patch: white}, []Guess{{Code: 9, Probability: 0.7}, {Code: code, Probability: 0.0001, Patch: white}})
	}
	with, without := draw(3), draw(4)
	x := 3*(thumbSide+thumbGap) + thumbGap + 2 // of the second predicted code
	if got := with.RGBAAt(x, 0); got != (color.RGBA{0, 0, 0, 255}) {
		t.Errorf("the frame of the true code is %v", got)
	}
	if got := without.RGBAAt(x, 0); got != (color.RGBA{255, 255, 255, 255}) {
		t.Errorf("another code has a frame of %v", got)
	}
	if got := with.RGBAAt(x-thumbSide-thumbGap, 0); got != CodeColour(9) {
		t.Errorf("a code without a patch is %v", got)
	}
	for p, want := range map[float64]string{0.7: "70 %", 0.0123: "1.2 %", 0.0001: "< 0.1 %", 1: "100 %"} {
		if got := percent(p); got != want {
			t.Errorf("%g is %q, want %q", p, got, want)
		}
	}
}
