package data

import "image"

// orientation is the value of the EXIF tag: 1 as stored, 2 flipped horizontally, 3 rotated by 180 degrees, 4 flipped vertically. The values
// 5 to 8 mean the same with rows and columns exchanged.
type orientation int

// exifTransposed shows a stored image as its orientation says.
type exifTransposed struct {
	stored Image
	o      orientation
}

// transposed shows m as o says. Values that mean nothing, and 1, leave it as it is.
func transposed(m Image, o orientation) Image {
	if o < 2 || o > 8 {
		return m
	}
	return &exifTransposed{m, o}
}

// Size implements Image.
func (t *exifTransposed) Size() (w, h int) {
	w, h = t.stored.Size()
	if t.o >= 5 {
		return h, w
	}
	return w, h
}

// from returns the stored pixel that is shown at (x, y).
func (t *exifTransposed) from(x, y int) (int, int) {
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
func (t *exifTransposed) Region(box image.Rectangle) *RGB {
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
