package data

import (
	"fmt"
	"image"
)

// Image is a decoded image that is converted to RGB a region at a time: what a crop leaves out is never converted. *RGB implements it.
type Image interface {
	// Size returns the number of columns and rows.
	Size() (w, h int)
	// Region returns the part box in RGB. It panics when box is empty or leaves the image. The caller must not write into the result.
	Region(box image.Rectangle) *RGB
}

func checkRegion(m Image, box image.Rectangle) {
	if box.Empty() || !box.In(boundsOf(m)) {
		panic(fmt.Sprintf("data: Region: box %v of an image of %v", box, boundsOf(m).Max))
	}
}

func boundsOf(m Image) image.Rectangle {
	w, h := m.Size()
	return image.Rect(0, 0, w, h)
}

// whole converts all of m.
func whole(m Image) *RGB { return m.Region(boundsOf(m)) }

// cut returns an RGB image that shows the part box of m at the place at. It copies nothing that is RGB already.
func cut(m Image, box image.Rectangle) (part *RGB, at image.Rectangle) {
	if m, ok := m.(*RGB); ok {
		return m, box
	}
	part = m.Region(box)
	return part, part.Bounds()
}
