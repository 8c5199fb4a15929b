package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"testing"
)

// TestExifOrientation walks through all values, both byte orders and the three containers.
func TestExifOrientation(t *testing.T) {
	for o := range uint16(9) {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			exif := exifData(order, o)
			segment := append([]byte("Exif\x00\x00"), exif...)
			jpeg := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe0\x00\x04ab\xff\xff\xe1"), uint16(2+len(segment)))
			png := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x01abcdefghi"), uint32(len(exif)))
			webp := binary.LittleEndian.AppendUint32([]byte("RIFF....WEBPVP8X\x03\x00\x00\x00abc\x00EXIF"), uint32(len(exif)))
			for format, content := range map[string][]byte{
				"jpeg": append(jpeg, segment...), "tiff": exif,
				"png":  append(append(png, "eXIf"...), append(exif, "crc!"...)...),
				"webp": append(webp, exif...),
			} {
				if got := formats[format].Orientation(content); got != int(o) {
					t.Errorf("%s, %v: %d, want %d", format, order, got, o)
				}
				for n := range content {
					if got := formats[format].Orientation(content[:n]); got != 0 && got != int(o) {
						t.Errorf("%s cut to %d bytes: %d", format, n, got)
					}
				}
			}
		}
	}
}

// exifData is EXIF data with another tag before the orientation.
func exifData(order binary.AppendByteOrder, o uint16) []byte {
	b := []byte("II*\x00")
	if order.String() == "BigEndian" {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, tag := range []uint16{0x010f, 0x0112} {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, 3)
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, o)
		b = order.AppendUint16(b, 0)
	}
	return order.AppendUint32(b, 0)
}

func FuzzExif(f *testing.F) {
	f.Add(exifData(binary.LittleEndian, 6))
	f.Add(append([]byte("\xff\xd8\xff\xe1\x00\x40Exif\x00\x00"), exifData(binary.BigEndian, 3)...))
	f.Add(append([]byte("RIFF....WEBPEXIF\x22\x00\x00\x00"), exifData(binary.BigEndian, 3)...))
	f.Add(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x22eXIf"), exifData(binary.BigEndian, 3)...))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, format := range []string{"jpeg", "png", "webp", "tiff"} {
			whole(transposed(NewRGB(3, 2), orientation(formats[format].Orientation(content))))
		}
	})
}

// The orientation counts only with the option.
func TestExifTranspose(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 6, 4))
	m.Set(0, 0, color.White)
	plain := encodePNG(t, m)
	exif := exifData(binary.BigEndian, 6)
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(exif))), "eXIf"...)
	at := bytes.Index(plain, []byte("IDAT")) - 4
	content := bytes.Join([][]byte{plain[:at], chunk, exif, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(append(chunk[4:8:8], exif...))), plain[at:]}, nil)
	for _, c := range []struct {
		options []Option
		size    string
		white   int // pixel
	}{{nil, "6x4", 0}, {[]Option{ExifTranspose()}, "4x6", 3}} {
		got, err := Decode(content, DefaultLimits, c.options...)
		if err != nil {
			t.Fatal(err)
		}
		if size := fmt.Sprintf("%dx%d", got.W, got.H); size != c.size || got.Pix[3*c.white] != 255 {
			t.Errorf("%s with %v, want %s", size, got.Pix[:12], c.size)
		}
	}
}
