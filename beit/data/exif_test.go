package data

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"io"
	"strings"
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

// turnedPNG is an image of 6x4, white in the corner, with the orientation 6.
func turnedPNG(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 6, 4))
	m.Set(0, 0, color.White)
	plain := encodePNG(t, m)
	exif := exifData(binary.BigEndian, 6)
	chunk := append(binary.BigEndian.AppendUint32(nil, uint32(len(exif))), "eXIf"...)
	at := bytes.Index(plain, []byte("IDAT")) - 4
	return bytes.Join([][]byte{plain[:at], chunk, exif, binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(append(chunk[4:8:8], exif...))), plain[at:]}, nil)
}

// The orientation counts only with the option.
func TestExifTranspose(t *testing.T) {
	content := turnedPNG(t)
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

// TestOrientationSources has the orientation in places other than EXIF data.
func TestOrientationSources(t *testing.T) {
	const xmp = `<rdf:Description tiff:Orientation="8"/>`
	segment := func(body string) string {
		return "\xff\xe1" + string(binary.BigEndian.AppendUint16(nil, uint16(2+len(body)))) + body
	}
	riff := func(name, body string) string {
		return name + string(binary.LittleEndian.AppendUint32(nil, uint32(len(body)))) + body + strings.Repeat("\x00", len(body)%2)
	}
	chunk := func(name, body string) string {
		sum := crc32.ChecksumIEEE([]byte(name + body))
		return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + name + body + string(binary.BigEndian.AppendUint32(nil, sum))
	}
	profile := func(kind, body string) string {
		return chunk("tEXt", fmt.Sprintf("Raw profile type %s\x00\n%s\n%8d\n%x\n", kind, kind, len(body), body))
	}
	exif := "Exif\x00\x00" + string(exifData(binary.BigEndian, 6))
	one := "Exif\x00\x00" + string(exifData(binary.BigEndian, 1))
	none := "Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"
	const jpeg, png, webp = "\xff\xd8", "\x89PNG\r\n\x1a\n", "RIFF....WEBP"
	for _, c := range []struct {
		name, format, content string
		want                  int
	}{
		{"XMP in JPEG", "jpeg", jpeg + segment(string(xmpHeader)+xmp), 8},
		{"EXIF goes before XMP", "jpeg", jpeg + segment(string(xmpHeader)+xmp) + segment(exif), 6},
		{"EXIF says 1", "jpeg", jpeg + segment(string(xmpHeader)+xmp) + segment(one), 1},
		{"EXIF says nothing", "jpeg", jpeg + segment(string(xmpHeader)+xmp) + segment(none), 8},
		{"the first EXIF counts", "jpeg", jpeg + segment(exif) + segment(one), 6},
		{"bytes before a segment", "jpeg", jpeg + "ab\xff\xff" + segment(exif), 6},
		{"EXIF behind the scan", "jpeg", jpeg + "\xff\xda\x00\x02" + segment(exif), 0},
		{"XMP in WebP", "webp", webp + riff("VP8L", "abc") + riff("XMP ", xmp), 8},
		{"element", "webp", webp + riff("XMP ", "<tiff:Orientation> 3 </tiff:Orientation>"), 3},
		{"quotes", "webp", webp + riff("XMP ", "tiff:Orientation = '5'"), 5},
		{"nonsense", "webp", webp + riff("XMP ", "tiff:Orientation=x"), 0},
		{"profile APP1", "png", png + profile("APP1", exif), 6},
		{"profile APP1 with XMP", "png", png + profile("APP1", string(xmpHeader)+xmp), 8},
		{"profile xmp", "png", png + profile("xmp", xmp), 8},
		{"profile exif without header", "png", png + profile("exif", exif[6:]), 6},
		{"eXIf goes first", "png", png + profile("exif", one) + chunk("eXIf", exif[6:]), 6},
		{"profile cut short", "png", png + chunk("tEXt", "Raw profile type exif\x00\nexif\n"), 0},
		{"odd digits", "png", png + chunk("tEXt", "Raw profile type exif\x00\nexif\n 8\n4578zz"), 0},
		{"text cut short", "png", png + chunk("iTXt", "XML:com.adobe.xmp\x00\x01"), 0},
		{"no zlib", "png", png + chunk("zTXt", "Raw profile type exif\x00\x00none"), 0},
	} {
		if got := formats[c.format].Orientation([]byte(c.content)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// compressedText is a PNG chunk zTXt.
func compressedText(keyword, text string) []byte {
	var b bytes.Buffer
	b.WriteString(keyword + "\x00\x00")
	z := zlib.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return chunk("zTXt", b.Bytes())
}

// A text that decompresses to more than its bound is cut.
func TestInflateTextIsBounded(t *testing.T) {
	c, _, err := nextChunk(compressedText(pngXMP, strings.Repeat("\x00", 5<<20)))
	if err != nil {
		t.Fatal(err)
	}
	texts := pngTexts{left: pngTextsMost}
	if _, text := texts.read(c); len(text) != pngTextMost {
		t.Errorf("%d bytes", len(text))
	}
}

// Texts of a file are decompressed up to a bound of all together. Those that cannot hold an orientation do not count.
func TestTextsAreBounded(t *testing.T) {
	exif := string(exifData(binary.BigEndian, 6))
	last := compressedText(pngProfileEXIF, fmt.Sprintf("\nexif\n%8d\n%x\n", len(exif), exif))
	large := strings.Repeat("\x00", pngTextMost)
	for _, c := range []struct {
		name, keyword, text string
		count, want         int
	}{
		{"large texts", pngXMP, large, 50, 6},
		{"too many large texts", pngXMP, large, 70, 0},
		{"other texts", "Comment", large, 70, 6},
		{"too many empty texts", pngXMP, "", 2000, 0},
	} {
		content := tinyPNG(bytes.Repeat(compressedText(c.keyword, c.text), c.count), last)
		if got := pngOrientation(content); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// The orientation is read without a look at the pixels: a wrong checksum of theirs does not hide what stands behind them.
func TestOrientationPassesOverPixels(t *testing.T) {
	exif := string(exifData(binary.BigEndian, 6))
	pixels := chunk("IDAT", make([]byte, 1000))
	pixels[len(pixels)-1]++
	content := tinyPNG(pixels, compressedText(pngProfileEXIF, fmt.Sprintf("\nexif\n%8d\n%x\n", len(exif), exif)))
	if got := pngOrientation(content); got != 6 {
		t.Errorf("orientation %d, want 6", got)
	}
}
