package data

import (
	"fmt"
	"image"
)

// Image is a decoded picture that becomes RGB when it is asked for, so that what a crop leaves out need not be converted. An *RGB is one.
type Image interface {
	// Size is the number of columns and rows.
	Size() (w, h int)
	// Region returns the part box. It panics when box is empty or leaves the picture. The caller must not write into what it returns.
	Region(box image.Rectangle) *RGB
}

// Size implements Image.
func (m *RGB) Size() (w, h int) { return m.W, m.H }

// Region implements Image.
func (m *RGB) Region(box image.Rectangle) *RGB {
	if box == m.Bounds() {
		return m
	}
	return Crop(m, box)
}

func checkRegion(p Image, box image.Rectangle) {
	if box.Empty() || !box.In(boundsOf(p)) {
		panic(fmt.Sprintf("data: Region: box %v of a picture of %v", box, boundsOf(p).Max))
	}
}

func boundsOf(p Image) image.Rectangle {
	w, h := p.Size()
	return image.Rect(0, 0, w, h)
}

// whole is all of p.
func whole(p Image) *RGB { return p.Region(boundsOf(p)) }

// cut returns an image that has the part box of p at the place at; nothing that p has ready is copied.
func cut(p Image, box image.Rectangle) (m *RGB, at image.Rectangle) {
	if m, ok := p.(*RGB); ok {
		return m, box
	}
	m = p.Region(box)
	return m, m.Bounds()
}

// orientation is the value of the EXIF tag: 1 for upright; 2 to 4 mirrored left to right, turned by 180 degrees, mirrored top to bottom;
// 5 to 8 the same with rows and columns exchanged.
type orientation int

// turned is a picture shown upright.
type turned struct {
	stored Image
	o      orientation
}

// turn shows p as o says. Values that mean nothing, and 1, leave it as it is.
func turn(p Image, o orientation) Image {
	if o < 2 || o > 8 {
		return p
	}
	return &turned{p, o}
}

// Size implements Image.
func (t *turned) Size() (w, h int) {
	w, h = t.stored.Size()
	if t.o >= 5 {
		return h, w
	}
	return w, h
}

// from maps a shown pixel to the stored one.
func (t *turned) from(x, y int) (int, int) {
	w, h := t.Size()
	switch t.o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, w - 1 - x
	case 7:
		return h - 1 - y, w - 1 - x
	}
	return h - 1 - y, x // 8
}

// Region implements Image.
func (t *turned) Region(box image.Rectangle) *RGB {
	checkRegion(t, box)
	ax, ay := t.from(box.Min.X, box.Min.Y)
	bx, by := t.from(box.Max.X-1, box.Max.Y-1)
	part := image.Rect(min(ax, bx), min(ay, by), max(ax, bx)+1, max(ay, by)+1)
	src := t.stored.Region(part)
	out := NewRGB(box.Dx(), box.Dy())
	for y := range out.H {
		row := out.row(y, 0, out.W)
		for x := range out.W {
			sx, sy := t.from(box.Min.X+x, box.Min.Y+y)
			copy(row[3*x:3*x+3], src.Pix[3*((sy-part.Min.Y)*src.W+sx-part.Min.X):])
		}
	}
	return out
}
