package data

import (
	"bytes"
	"encoding/binary"
	"math"
	"regexp"
	"strconv"
)

// metadata is what an image file says about itself, as far as it may hold the orientation.
type metadata struct{ exif, xmp []byte }

var (
	exifHeader = []byte("Exif\x00\x00")
	xmpHeader  = []byte("http://ns.adobe.com/xap/1.0/\x00")
	// xmpOrientation finds the orientation as an attribute or as an element.
	xmpOrientation = regexp.MustCompile(`tiff:Orientation\s*(?:=\s*["']|>)\s*([0-9])`)
)

// orientation returns the orientation in EXIF data, in XMP data where EXIF data do not have it, or 0.
func (m metadata) orientation() int {
	if tags, err := parseTIFFTags(bytes.TrimPrefix(m.exif, exifHeader)); err == nil && tags.count(tagOrientation) > 0 {
		return tags.orientation()
	}
	if found := xmpOrientation.FindSubmatch(m.xmp); found != nil {
		o, _ := strconv.Atoi(string(found[1])) // a digit
		return o
	}
	return 0
}

// orientation returns the orientation, an integer of any type, or 0 where there is no single one.
func (t *tiffTags) orientation() int {
	if t.count(tagOrientation) != 1 {
		return 0
	}
	return int(min(t.number(tagOrientation, 0), math.MaxInt16))
}

// tiffOrientation reads the orientation of a TIFF file.
func tiffOrientation(content []byte) int {
	tags, err := parseTIFFTags(content)
	if err != nil {
		return 0
	}
	return tags.orientation()
}

// add takes the body of a JPEG segment APP1, or of a raw profile, which are the same. The first of each kind counts.
func (m *metadata) add(body []byte) {
	if xmp, ok := bytes.CutPrefix(body, xmpHeader); ok && m.xmp == nil {
		m.xmp = xmp
	}
	if bytes.HasPrefix(body, exifHeader) && m.exif == nil {
		m.exif = body
	}
}

// jpegOrientation reads the segments before the first scan of a JPEG file. Bytes between segments are skipped.
func jpegOrientation(b []byte) int {
	const mark, app1, startOfScan, first, stuffing = 0xff, 0xe1, 0xda, 0xc0, 0xff
	var m metadata
	for b = b[min(2, len(b)):]; len(b) >= 4; {
		marker, size := b[1], int(binary.BigEndian.Uint16(b[2:]))
		alone := marker >= 0xd0 && marker <= 0xd8 // without a length
		switch {
		case b[0] != mark || marker < first || marker == stuffing:
			b = b[1:]
			continue
		case alone:
			b = b[2:]
			continue
		case marker == startOfScan || size < 2 || 2+size > len(b):
			return m.orientation()
		case marker == app1:
			m.add(b[4 : 2+size])
		}
		b = b[2+size:]
	}
	return m.orientation()
}

// webpOrientation reads the chunks of a WebP file.
func webpOrientation(b []byte) int {
	var m metadata
	for kind, body := range webpChunks(b[min(webpHead, len(b)):]) {
		switch kind {
		case "EXIF":
			m.exif = body
		case "XMP ":
			m.xmp = body
		}
	}
	return m.orientation()
}
