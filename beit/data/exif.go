package data

import (
	"bytes"
	"encoding/binary"
)

// exifOrientation finds the orientation in a picture file that has been decoded; 0 where there is none that can be read.
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

// tiffTag returns the 16-bit value of a tag of the first directory; 0 where there is none.
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
