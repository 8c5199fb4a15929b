package codebook

import (
	"image"
	"image/color"
	"image/draw"

	"github.com/gobeit/gobeit/beit/data"
)

// patchContext is how many patches wide the part of the image is that a patch is shown in: what lies around it tells what it is a part of.
const patchContext = 3

// drawPatch draws a patch, given by its box in an image, in the part of the image around it: a square whose side is in pixels. The patch is outlined.
func drawPatch(m data.Image, box image.Rectangle, side int) *data.RGB {
	w, h := m.Size()
	part := around(box, w, h)
	tile := data.Resize(m.Region(part), image.Rectangle{Max: part.Size()}, side, side, data.Bicubic)
	at := func(x int) int { return x * side / part.Dx() }
	in := box.Sub(part.Min)
	line := image.Rect(at(in.Min.X), at(in.Min.Y), at(in.Max.X), at(in.Max.Y))
	for range max(side/80, 1) { // white and black beside each other can be seen on any ground
		line = line.Inset(-1)
		outline(tile, line, 255)
	}
	outline(tile, line.Inset(-1), 0)
	return tile
}

// around is the square around a box that drawPatch shows. It is moved and made smaller where it would leave the image of w x h.
func around(box image.Rectangle, w, h int) image.Rectangle {
	side := min(patchContext*max(box.Dx(), box.Dy()), w, h)
	left := min(max(box.Min.X+(box.Dx()-side)/2, 0), w-side)
	top := min(max(box.Min.Y+(box.Dy()-side)/2, 0), h-side)
	return image.Rect(left, top, left+side, top+side)
}

// outline draws the border of a rectangle, one pixel wide, as far as it lies in the image.
func outline(m *data.RGB, r image.Rectangle, grey uint8) {
	set := func(x, y int) {
		if (image.Point{X: x, Y: y}).In(m.Bounds()) {
			p := m.Pix[3*(y*m.W+x):]
			p[0], p[1], p[2] = grey, grey, grey
		}
	}
	for x := r.Min.X; x < r.Max.X; x++ {
		set(x, r.Min.Y)
		set(x, r.Max.Y-1)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		set(r.Min.X, y)
		set(r.Max.X-1, y)
	}
}

// patchSheet is a sheet of patches without text, for a page: rows of four.
type patchSheet struct{ *image.RGBA }

// Sizes of a patchSheet, in pixels.
const (
	patchColumns = 4
	patchSide    = 80 // of the tile of a patch
	patchGap     = 2
)

// patchSheetSize is the size of a sheet for n patches.
func patchSheetSize(n int) image.Point {
	columns, rows := max(min(n, patchColumns), 1), max((n+patchColumns-1)/patchColumns, 1)
	return image.Pt(columns*(patchSide+patchGap)-patchGap, rows*(patchSide+patchGap)-patchGap)
}

// newPatchSheet returns a grey sheet for n patches.
func newPatchSheet(n int) patchSheet {
	m := image.NewRGBA(image.Rectangle{Max: patchSheetSize(n)})
	draw.Draw(m, m.Rect, image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	return patchSheet{m}
}

// put draws a tile of patchSide in its place.
func (s patchSheet) put(i int, tile *data.RGB) {
	x0, y0 := i%patchColumns*(patchSide+patchGap), i/patchColumns*(patchSide+patchGap)
	for y := range tile.H {
		to := s.Pix[s.PixOffset(x0, y0+y):]
		for x := range tile.W {
			copy(to[4*x:4*x+3], tile.Pix[3*(y*tile.W+x):])
		}
	}
}
