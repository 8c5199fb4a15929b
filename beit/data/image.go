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
