package data

import (
	"bytes"
	"encoding/binary"
	"image"
)

// exifOrientation returns the orientation in the EXIF data of an image file, or 0 where there is none that can be read.
func exifOrientation(content []byte, format string) orientation {
	switch format {
	case "jpeg":
		return tiffOrientation(jpegExif(content))
	case "png":
		return tiffOrientation(pngExif(content))
	case "webp":
		return tiffOrientation(webpExif(content))
	case "tiff":
		return tiffOrientation(content)
	}
	return 0
}

var exifHeader = []byte("Exif\x00\x00")

// jpegExif returns the EXIF data before the first scan.
func jpegExif(b []byte) []byte {
	const app1, startOfScan = 0xe1, 0xda
	for b = b[min(2, len(b)):]; len(b) >= 4 && b[0] == 0xff; {
		if b[1] == 0xff { // filling
			b = b[1:]
			continue
		}
		marker, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		if marker == startOfScan || size < 2 || 2+size > len(b) {
			return nil
		}
		if body, ok := bytes.CutPrefix(b[4:2+size], exifHeader); ok && marker == app1 {
			return body
		}
		b = b[2+size:]
	}
	return nil
}

// pngExif returns the content of the eXIf chunk.
func pngExif(b []byte) []byte {
	for b = b[min(8, len(b)):]; len(b) >= 12; {
		size := uint64(binary.BigEndian.Uint32(b))
		if 12+size > uint64(len(b)) {
			return nil
		}
		if string(b[4:8]) == "eXIf" {
			return b[8 : 8+size]
		}
		b = b[12+size:]
	}
	return nil
}

// webpExif returns the content of the EXIF chunk.
func webpExif(b []byte) []byte {
	for b = b[min(12, len(b)):]; len(b) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(b[4:]))
		if 8+size > uint64(len(b)) {
			return nil
		}
		if string(b[:4]) == "EXIF" {
			return bytes.TrimPrefix(b[8:8+size], exifHeader)
		}
		b = b[min(8+size+size%2, uint64(len(b))):]
	}
	return nil
}

// tiffOrientation reads the orientation in TIFF data, which EXIF data are too.
func tiffOrientation(b []byte) orientation { return orientation(tiffTag(b, 0x0112)) }

// tiffTag returns the 16-bit value of a tag of the first directory, or 0 where there is none.
func tiffTag(b []byte, tag uint16) uint16 {
	if len(b) < 8 {
		return 0
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 0
	}
	at := uint64(order.Uint32(b[4:]))
	if at+2 > uint64(len(b)) {
		return 0
	}
	count := int(order.Uint16(b[at:]))
	const short, size = 3, 12
	for entries := b[at+2:]; count > 0 && len(entries) >= size; count, entries = count-1, entries[size:] {
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			return order.Uint16(entries[8:])
		}
	}
	return 0
}

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
