package report

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

// oneColour is an image of one colour.
func oneColour(w, h int, c color.RGBA) *data.RGB {
	m := data.NewRGB(w, h)
	for p := 0; p < len(m.Pix); p += 3 {
		m.Pix[p], m.Pix[p+1], m.Pix[p+2] = c.R, c.G, c.B
	}
	return m
}

func TestSheet(t *testing.T) {
	red, blue, white := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}, color.RGBA{255, 255, 255, 255}
	tiles := []Tile{{Image: oneColour(40, 20, red), Lines: []string{"wide", strings.Repeat("long ", 30)}}}
	for range 5 {
		tiles = append(tiles, NewTile(oneColour(30, 900, blue)))
	}
	name := filepath.Join(t.TempDir(), "sheet.png")
	if err := Sheet(name, tiles); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Rect(0, 0, 12+5*172, 12+2*(172+28)); m.Bounds() != want {
		t.Fatalf("bounds %v, want %v", m.Bounds(), want)
	}
	for _, c := range []struct {
		what string
		x, y int
		want color.RGBA
	}{
		{"middle of the wide image", 12 + 80, 12 + 80, red},
		{"its left edge", 12, 12 + 80, red},
		{"above it", 12 + 80, 12 + 30, white},
		{"the tall image beside it", 12 + 172 + 80, 12 + 80, blue},
		{"left of that", 12 + 172 + 70, 12 + 80, white},
		{"second row", 12 + 80, 12 + 200 + 80, blue},
		{"gap, where a long line would run", 12 + 161, 12 + 160 + 20, white},
	} {
		if got := color.RGBAModel.Convert(m.At(c.x, c.y)); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
	ink := false
	for x := range 60 {
		for y := range 14 {
			ink = ink || color.RGBAModel.Convert(m.At(12+x, 12+160+y)) != white
		}
	}
	if !ink {
		t.Error("nothing is written below the first image")
	}
	if err := Sheet(filepath.Join(t.TempDir(), "none", "sheet.png"), tiles); err == nil {
		t.Error("written into a folder that does not exist")
	}
}
