package data

import (
	"encoding/binary"
	"strings"
	"testing"
)

// tinyTIFF is a grey TIFF file of 2x2 pixels with other values of some tags.
func tinyTIFF(tags map[uint16]uint32) []byte {
	all := map[uint16]uint32{256: 2, 257: 2, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 2, 279: 4}
	for tag, v := range tags {
		all[tag] = v
	}
	b := append([]byte("II*\x00\x0c\x00\x00\x00"), 10, 20, 30, 40)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(all)))
	for tag, v := range all { // in any order
		b = binary.LittleEndian.AppendUint16(b, tag)
		b = binary.LittleEndian.AppendUint16(b, 4)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(b, 0, 0, 0, 0)
}

// What is not read is refused by its name.
func TestDecodeRefusesByName(t *testing.T) {
	if m, err := Decode(tinyTIFF(nil), DefaultLimits); err != nil || string(m.Pix[:6]) != "\x0a\x0a\x0a\x14\x14\x14" {
		t.Fatalf("%v, %v", m, err)
	}
	bmp := func(bits, compression uint32) []byte {
		b := bmpHeader(2, 2)
		b[28], b[30] = byte(bits), byte(compression)
		return b
	}
	for _, c := range []struct {
		name, text string
		content    []byte
	}{
		{"HTML", "this is an HTML page, not an image that is read here: the download", []byte("<!DOCTYPE html><html>")},
		{"Git LFS", "this is a Git LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n")},
		{"HEIC", "this is a HEIC image, not an image that is read here: convert it", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")},
		{"JPEG XL", "this is a JPEG XL image", []byte("\xff\x0a")},
		{"zeros", "this is nothing but zeros", make([]byte, 500)},
		{"animated WebP", "decode animated WebP image: the file is cut short", []byte("RIFF\x10\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00")},
		{"PAM", "a PAM file (P7)", []byte("P7\nWIDTH 2\n")},
		{"TIFF with Zstandard", "decode TIFF image: compression 50000 (Zstandard)", tinyTIFF(map[uint16]uint32{259: 50000})},
		{"TIFF with old JPEG", "compression 6 (JPEG of the old form)", tinyTIFF(map[uint16]uint32{259: 6})},
		{"TIFF of unknown compression", "compression 77 is not read", tinyTIFF(map[uint16]uint32{259: 77})},
		{"TIFF of CIELab", "colours of kind 8 (PhotometricInterpretation)", tinyTIFF(map[uint16]uint32{262: 8})},
		{"TIFF of 12 bits", "grey of 1 samples of 12 bits", tinyTIFF(map[uint16]uint32{258: 12})},
		{"TIFF of plain YCbCr", "YCbCr of 3 samples of 8 bits", tinyTIFF(map[uint16]uint32{262: 6, 277: 3})},
		{"TIFF without a palette", "the palette is missing", tinyTIFF(map[uint16]uint32{262: 3})},
		{"TIFF with an unknown predictor", "predictor 9", tinyTIFF(map[uint16]uint32{259: 8, 317: 9})},
		{"TIFF of fax grey", "fax coding of 1 samples of 8 bits", tinyTIFF(map[uint16]uint32{259: 4})},
		{"TIFF strip beyond the file", "it is missing", tinyTIFF(map[uint16]uint32{273: 1 << 20})},
		{"TIFF of many samples", "99 samples a pixel", tinyTIFF(map[uint16]uint32{277: 99})},
		{"TIFF tiles of no rows", "strips of no rows", tinyTIFF(map[uint16]uint32{278: 0})},
		{"BMP with JPEG", "compression 4 with 24 bits", bmp(24, 4)},
		{"BMP of 2 bits", "compression 0 with 2 bits", bmp(2, 0)},
		{"BMP of runs with 24 bits", "compression 1 with 24 bits", bmp(24, 1)},
		{"PGM of 70000", "largest value 70000", []byte("P5\n2 2\n70000\nabcd")},
		{"PGM with a word", `'x' is in the place of a number`, []byte("P2\n2 2\n255\n1 2 x 4")},
		{"PGM with a large value", "the value 9 is larger than 7", []byte("P2\n2 2\n7\n1 2 9 4")},
		{"PBM with a word", `'2' is in the place of a pixel`, []byte("P1\n2 2\n0120")},
		{"PPM cut short", "too few for 9x9", []byte("P6\n9 9\n255\nabc")},
		{"PPM without sizes", "height: unexpected EOF", []byte("P6\n9 ")},
	} {
		_, err := Decode(c.content, DefaultLimits)
		if err == nil || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v should contain %q", c.name, err, c.text)
		}
	}
}
