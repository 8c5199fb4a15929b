package report

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/nn/state"
	"github.com/gobeit/gobeit/nn/state/plain"
)

// Tile is an image of a contact sheet, with lines of text.
type Tile struct {
	Image *data.RGB
	Lines []string // below the image; cut if too long, only ASCII is readable
}

// Sizes on a contact sheet, in pixels.
const (
	tileSide    = 160 // side of the square that an image is fitted into
	tileGap     = 12
	tileColumns = 5
	lineHeight  = 14
)

// NewTile returns a Tile with the image reduced to the size of the sheet, which saves memory.
func NewTile(m *data.RGB, lines ...string) Tile {
	w, h := fit(m.W, m.H)
	return Tile{Image: data.Resize(m, m.Bounds(), w, h, data.Bicubic), Lines: lines}
}

// Sheet draws a contact sheet as a PNG file, five images a row. Each image is fitted into a square.
func Sheet(name string, tiles []Tile) error {
	sheet := drawSheet(tiles)
	return state.WriteFileAtomic(name, func(w io.Writer) error { return png.Encode(w, sheet) })
}

// drawSheet draws all tiles.
func drawSheet(tiles []Tile) *image.RGBA {
	lines := 0
	for _, t := range tiles {
		lines = max(lines, len(t.Lines))
	}
	columns := min(tileColumns, max(len(tiles), 1))
	stepX, stepY := tileSide+tileGap, tileSide+tileGap+lines*lineHeight
	count := max((len(tiles)+columns-1)/columns, 1)
	sheet := image.NewRGBA(image.Rect(0, 0, tileGap+columns*stepX, tileGap+count*stepY))
	draw.Draw(sheet, sheet.Rect, image.White, image.Point{}, draw.Src)
	for i, t := range tiles {
		at := image.Pt(tileGap+i%columns*stepX, tileGap+i/columns*stepY)
		drawTile(sheet, t, at)
	}
	return sheet
}

// drawTile draws an image in the middle of its square, whose corner is at, and its lines below the square.
func drawTile(sheet *image.RGBA, t Tile, at image.Point) {
	w, h := fit(t.Image.W, t.Image.H)
	m := data.Resize(t.Image, t.Image.Bounds(), w, h, data.Bicubic)
	x0, y0 := at.X+(tileSide-w)/2, at.Y+(tileSide-h)/2
	for y := range h {
		for x := range w {
			p := m.Pix[3*(y*w+x):]
			sheet.SetRGBA(x0+x, y0+y, color.RGBA{p[0], p[1], p[2], 255})
		}
	}
	pen := font.Drawer{Dst: sheet, Src: image.Black, Face: basicfont.Face7x13}
	for i, line := range t.Lines {
		pen.Dot = fixed.P(at.X, at.Y+tileSide+(i+1)*lineHeight)
		letters := []rune(plain.Text(line))
		pen.DrawString(string(letters[:min(len(letters), tileSide/basicfont.Face7x13.Advance)]))
	}
}

// fit returns the size of an image of w x h fitted into the square, at least one pixel each.
func fit(w, h int) (int, int) {
	long := max(w, h)
	return max(w*tileSide/long, 1), max(h*tileSide/long, 1)
}
