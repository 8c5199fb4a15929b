package data

import (
	"errors"
	"fmt"
	"image"
	goreflect "reflect" // this package has a function of that name
	"slices"
)

// isNil reports whether an image is nil, or a nil pointer of some type.
func isNil(src image.Image) bool {
	v := goreflect.ValueOf(src)
	return !v.IsValid() || v.Kind() == goreflect.Pointer && v.IsNil()
}

// checkWhole returns an error for an image of the standard library whose memory does not have all pixels of its bounds.
func checkWhole(src image.Image) error {
	size := src.Bounds().Size()
	has := func(pix []uint8, stride, pixel int) bool { return hasRows(pix, stride, size.Y, size.X*pixel) }
	whole := true
	switch s := src.(type) {
	case *RGB:
		whole = has(s.Pix, 3*s.W, 3)
	case *image.Gray:
		whole = has(s.Pix, s.Stride, 1)
	case *image.Gray16:
		whole = has(s.Pix, s.Stride, 2)
	case *image.Alpha:
		whole = has(s.Pix, s.Stride, 1)
	case *image.Alpha16:
		whole = has(s.Pix, s.Stride, 2)
	case *image.RGBA:
		whole = has(s.Pix, s.Stride, 4)
	case *image.NRGBA:
		whole = has(s.Pix, s.Stride, 4)
	case *image.CMYK:
		whole = has(s.Pix, s.Stride, 4)
	case *image.RGBA64:
		whole = has(s.Pix, s.Stride, 8)
	case *image.NRGBA64:
		whole = has(s.Pix, s.Stride, 8)
	case *image.YCbCr:
		whole = hasPlanes(s)
	case *image.NYCbCrA: // its alpha is not read
		whole = hasPlanes(&s.YCbCr)
	case *image.Paletted:
		if whole = has(s.Pix, s.Stride, 1); whole {
			return checkPalette(s)
		}
	}
	if !whole {
		return fmt.Errorf("the image has fewer pixels than its bounds, %v", src.Bounds())
	}
	return nil
}

// hasRows reports whether pix has all rows of a length, in bytes, that begin a stride apart.
func hasRows(pix []uint8, stride, rows, length int) bool {
	return stride >= 0 && (rows == 1 || stride <= len(pix)) && int64(rows-1)*int64(stride)+int64(length) <= int64(len(pix))
}

// hasPlanes reports whether the three planes have all samples.
func hasPlanes(m *image.YCbCr) bool {
	last, chroma := m.Rect.Max.Sub(image.Pt(1, 1)), *m
	chroma.CStride = 0
	columns := chroma.COffset(last.X, last.Y) + 1
	chroma.CStride = 1
	rows := chroma.COffset(last.X, last.Y) - columns + 2
	return hasRows(m.Y, m.YStride, m.Rect.Dy(), m.Rect.Dx()) && hasRows(m.Cb, m.CStride, rows, columns) && hasRows(m.Cr, m.CStride, rows, columns)
}

// checkPalette returns an error when a pixel has no colour.
func checkPalette(m *image.Paletted) error {
	for y := range m.Rect.Dy() {
		if top := slices.Max(m.Pix[y*m.Stride:][:m.Rect.Dx()]); int(top) >= len(m.Palette) {
			return fmt.Errorf("the image has colour %d of a palette of %d", top, len(m.Palette))
		}
	}
	if slices.Contains(m.Palette, nil) {
		return errors.New("the image has a palette with a colour that is nil")
	}
	return nil
}
