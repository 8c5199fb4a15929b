package patches

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"strconv"

	"github.com/gobeit/gobeit/nn/state"
)

// Panel is a drawing on a sheet.
type Panel struct {
	Title  string
	Image  image.Image
	Legend *Range // of the colour map, shown below the image; nil without one
}

// Section is a part of a sheet: panels in rows, below a title.
type Section struct {
	Title  string
	Panels []Panel
	Across int // panels in a row; 0: as many as there are
}

// Sizes on a sheet, in pixels.
const (
	gap        = 16
	titleSize  = 22
	textSize   = 15
	barHeight  = 12
	captionGap = textSize + 8
	legendGap  = barHeight + textSize + 10
)

// Write draws a sheet as a PNG file.
func Write(name string, sections []Section) error {
	sheet := Sheet(sections)
	return state.WriteFileAtomic(name, func(w io.Writer) error { return png.Encode(w, sheet) })
}

// Sheet draws sections below each other on white.
func Sheet(sections []Section) *image.RGBA {
	var size image.Point
	for _, s := range sections {
		part := s.size()
		size = image.Pt(max(size.X, part.X), size.Y+part.Y)
	}
	sheet := image.NewRGBA(image.Rectangle{Max: size.Add(image.Pt(gap, gap))})
	draw.Draw(sheet, sheet.Rect, image.White, image.Point{}, draw.Src)
	top := gap
	for _, s := range sections {
		s.draw(sheet, top)
		top += s.size().Y
	}
	return sheet
}

// across is the number of panels in a row.
func (s Section) across() int {
	if s.Across > 0 {
		return min(s.Across, max(len(s.Panels), 1))
	}
	return max(len(s.Panels), 1)
}

// cell is the size of the largest panel with what belongs to it.
func (s Section) cell() (size image.Point) {
	for _, p := range s.Panels {
		b := p.Image.Bounds()
		h := b.Dy() + captionGap
		if p.Legend != nil {
			h += legendGap
		}
		size = image.Pt(max(size.X, b.Dx()), max(size.Y, h))
	}
	return size.Add(image.Pt(gap, gap))
}

// size is the size of the section, with the gap on its right and below.
func (s Section) size() image.Point {
	cell := s.cell()
	rows := (len(s.Panels) + s.across() - 1) / s.across()
	h := rows * cell.Y
	if s.Title != "" {
		h += titleSize + gap
	}
	return image.Pt(s.across()*cell.X, h)
}

func (s Section) draw(sheet *image.RGBA, top int) {
	if s.Title != "" {
		write(sheet, image.Pt(gap, top+titleSize), s.Title, titleSize, sheet.Rect.Dx()-2*gap, color.Black)
		top += titleSize + gap
	}
	cell := s.cell()
	for i, p := range s.Panels {
		p.draw(sheet, image.Pt(gap+i%s.across()*cell.X, top+i/s.across()*cell.Y))
	}
}

// draw draws a panel whose corner is at a point: its title, its image and its legend.
func (p Panel) draw(sheet *image.RGBA, at image.Point) {
	b := p.Image.Bounds()
	write(sheet, at.Add(image.Pt(0, textSize)), p.Title, textSize, max(b.Dx(), 8*textSize), color.Black)
	at.Y += captionGap
	draw.Draw(sheet, b.Sub(b.Min).Add(at), p.Image, b.Min, draw.Over)
	if p.Legend != nil {
		p.Legend.draw(sheet, at.Add(image.Pt(0, b.Dy()+6)), b.Dx())
	}
}

// draw draws the colour map with its ends as numbers.
func (r Range) draw(sheet *image.RGBA, at image.Point, w int) {
	for x := range w {
		fill(sheet, image.Rect(at.X+x, at.Y, at.X+x+1, at.Y+barHeight), Colour(float64(x), 0, float64(max(w-1, 1))))
	}
	low, high := strconv.FormatFloat(r.Low, 'g', 3, 64), strconv.FormatFloat(r.High, 'g', 3, 64)
	base := at.Y + barHeight + textSize
	write(sheet, image.Pt(at.X, base), low, textSize, w, color.Black)
	write(sheet, image.Pt(at.X+w-width(high, textSize), base), high, textSize, w, color.Black)
}
