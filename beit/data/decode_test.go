package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
)

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodeJPEG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fill sets every pixel of m to c.
func fill[M interface {
	image.Image
	Set(x, y int, c color.Color)
}](m M, c color.Color) M {
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			m.Set(x, y, c)
		}
	}
	return m
}

func TestDecodeKinds(t *testing.T) {
	r := image.Rect(0, 0, 5, 3)
	half := color.NRGBA{200, 100, 50, 128}
	deep := color.NRGBA64{0xabcd, 0x1234, 0x0080, 0xffff}
	for _, c := range []struct {
		name    string
		content []byte
		want    [3]uint8
	}{
		{"rgb", encodePNG(t, fill(image.NewRGBA(r), color.RGBA{1, 2, 3, 255})), [3]uint8{1, 2, 3}},
		{"alpha is dropped", encodePNG(t, fill(image.NewNRGBA(r), half)), [3]uint8{200, 100, 50}},
		{"clear pixels keep their colour", encodePNG(t, fill(image.NewNRGBA(r), color.NRGBA{9, 8, 7, 0})), [3]uint8{9, 8, 7}},
		{"grey", encodePNG(t, fill(image.NewGray(r), color.Gray{77})), [3]uint8{77, 77, 77}},
		{"grey of 16 bits", encodePNG(t, fill(image.NewGray16(r), color.Gray16{0x1280})), [3]uint8{0x12, 0x12, 0x12}},
		{"rgb of 16 bits", encodePNG(t, fill(image.NewNRGBA64(r), deep)), [3]uint8{0xab, 0x12, 0}},
		{"palette", encodePNG(t, fill(image.NewPaletted(r, color.Palette{half, color.NRGBA{4, 5, 6, 255}}), half)), [3]uint8{200, 100, 50}},
		{"grey jpeg", encodeJPEG(t, fill(image.NewGray(r), color.Gray{90})), [3]uint8{90, 90, 90}},
		{"jpeg", encodeJPEG(t, fill(image.NewRGBA(r), color.RGBA{128, 128, 128, 255})), [3]uint8{128, 128, 128}},
	} {
		m, err := Decode(c.content, DefaultLimits)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if m.W != 5 || m.H != 3 || len(m.Pix) != 45 {
			t.Errorf("%s: size %dx%d with %d bytes", c.name, m.W, m.H, len(m.Pix))
			continue
		}
		for i, v := range m.Pix {
			if v != c.want[i%3] {
				t.Errorf("%s: byte %d is %d, want %d", c.name, i, v, c.want[i%3])
				break
			}
		}
	}
}

// pngHeader is a PNG file without pixels.
func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")
	b = binary.BigEndian.AppendUint32(b, w)
	b = binary.BigEndian.AppendUint32(b, h)
	b = append(b, 8, 2, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[12:]))
	return append(b, "\x00\x00\x00\x00IDAT\x35\xaf\x06\x1e"...)
}

// gifHeader is a GIF file whose frame fills its screen, without pixels.
func gifHeader(size string) []byte {
	return []byte("GIF89a" + size + "\x00\x00\x00,\x00\x00\x00\x00" + size + "\x00\x08")
}

// jpegWithSize is a whole JPEG file with another size in its header.
func jpegWithSize(t testing.TB, w, h uint16) []byte {
	b := encodeJPEG(t, fill(image.NewRGBA(image.Rect(0, 0, 16, 16)), color.RGBA{1, 2, 3, 255}))
	frame := bytes.Index(b, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(b[frame+5:], h)
	binary.BigEndian.PutUint16(b[frame+7:], w)
	return b
}

// bmpHeader is a BMP file of 24 bits that ends before its pixels.
func bmpHeader(w, h uint32) []byte {
	b := []byte("BM....\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00")
	b = binary.LittleEndian.AppendUint32(b, w)
	b = binary.LittleEndian.AppendUint32(b, h)
	b = append(b, 1, 0, 24, 0)
	return append(b, make([]byte, 24)...)
}

// tiffHeader is a grey TIFF file whose one strip is missing.
func tiffHeader(w, h uint32) []byte {
	b := []byte("II*\x00\x08\x00\x00\x00\x07\x00")
	for _, entry := range [][2]uint32{{256, w}, {257, h}, {258, 8}, {259, 1}, {262, 1}, {273, 1 << 20}, {279, w * h}} {
		b = binary.LittleEndian.AppendUint16(b, uint16(entry[0]))
		b = binary.LittleEndian.AppendUint16(b, 4)
		b = binary.LittleEndian.AppendUint32(b, 1)
		b = binary.LittleEndian.AppendUint32(b, entry[1])
	}
	return append(b, 0, 0, 0, 0)
}

func TestDecodeHostile(t *testing.T) {
	whole := encodePNG(t, fill(image.NewRGBA(image.Rect(0, 0, 64, 64)), color.RGBA{1, 2, 3, 255}))
	photo := encodeJPEG(t, fill(image.NewRGBA(image.Rect(0, 0, 64, 64)), color.RGBA{90, 20, 30, 255}))
	for _, c := range []struct {
		name, text string
		content    []byte
	}{
		{"empty", "empty", nil},
		{"no image", "known format", []byte("hello")},
		{"gif of 65535x65535", "pixels: the limit", gifHeader("\xff\xff\xff\xff")},
		{"gif too short for its size", "too few for 8000x8000", gifHeader("\x40\x1f\x40\x1f")},
		{"gif without a frame", "no frame", []byte("GIF89a\x04\x00\x04\x00\x00\x00\x00;")},
		{"bmp of 30000x30000", "pixels: the limit", bmpHeader(30000, 30000)},
		{"bmp too short for its size", "too few for 8000x8000", bmpHeader(8000, 8000)},
		{"bmp cut short", "too few for 20x10", bmpHeader(20, 10)},
		{"webp of 16384x16384", "pixels: the limit", []byte("RIFF\x19\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\xff\xff\xff\x0f12345678")},
		{"webp cut short", "decode WebP image", []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x0f\xc0\x03\x00")},
		{"tiff of 2^31x2^31", "", tiffHeader(1<<31, 1<<31)},
		{"tiff of 20000x20000", "pixels: the limit", tiffHeader(20000, 20000)},
		{"tiff without pixels", "decode TIFF image", tiffHeader(500, 500)},
		{"png of 65536x65536", "65536x65536 pixels: the limit", pngHeader(65536, 65536)},
		{"png of 2^31-1", "pixels: the limit", pngHeader(1<<31-1, 1<<31-1)},
		{"png of size 0", "", pngHeader(0, 10)},
		{"png too short for its size", "too few for 8000x8000", pngHeader(8000, 8000)},
		{"jpeg too short for its size", "too few for 8000x8000", jpegWithSize(t, 8000, 8000)},
		{"jpeg of 65535x65535", "too few for 65535x65535", jpegWithSize(t, 65535, 65535)},
		{"jpeg of 16000x16000", "pixels: the limit", append(jpegWithSize(t, 16000, 16000), make([]byte, 2000*2000/8)...)},
		{"jpeg of size 0", "", jpegWithSize(t, 0, 16)},
		{"png cut short", "of 64 is missing", whole[:len(whole)-40]},
		{"jpeg cut short", "decode JPEG image", photo[:len(photo)-20]},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Decode(c.content, DefaultLimits)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: decoded", c.name)
			continue
		}
		if text := err.Error(); !strings.Contains(text, c.text) || strings.Contains(text, "\n") {
			t.Errorf("%s: error %q should contain %q", c.name, text, c.text)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
			t.Errorf("%s: %d bytes allocated on the way to an error", c.name, used)
		}
	}
	if _, err := Decode(whole[:len(whole)-40], DefaultLimits); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the cause is not wrapped: %v", err)
	}
}

func TestReadImageLimitsFileSize(t *testing.T) {
	ds, err := Folder(fstest.MapFS{"a.png": {Data: smallPNG}}, ".", "set", Limits{Pixels: 100, Bytes: 10})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ds.Sample(0)
	if err == nil || !strings.Contains(err.Error(), "set/a.png: image file of") {
		t.Errorf("error is %v", err)
	}
}

// TestDecoderPanic uses a format whose decoder panics after a good header.
func TestDecoderPanic(t *testing.T) {
	size := func([]byte) (w, h int, err error) { return 1, 1, nil }
	RegisterFormat("jxl", Format{Size: size, Decode: func([]byte) (Image, error) { panic("index out of range") }})
	defer delete(formats, "jxl")
	_, err := Decode([]byte("\xff\x0a"), DefaultLimits)
	if err == nil || !strings.Contains(err.Error(), "decoder failed: index out of range") {
		t.Errorf("error is %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	r := image.Rect(0, 0, 9, 7)
	f.Add(encodePNG(f, fill(image.NewNRGBA(r), color.NRGBA{1, 2, 3, 4})))
	f.Add(encodePNG(f, fill(image.NewPaletted(r, color.Palette{color.Black, color.White}), color.White)))
	f.Add(encodeJPEG(f, fill(image.NewRGBA(r), color.RGBA{100, 2, 3, 255})))
	f.Add(jpegWithSize(f, 300, 200))
	f.Add(pngHeader(1<<31-1, 1))
	f.Add(bmpHeader(20, 10))
	f.Add(tiffHeader(20, 10))
	for _, name := range []string{"alpha.webp", "lossless.webp", "palette.bmp", "deflate.tif", "fax.tif", "inside.gif", "422.jpg", "turn6.jpg", "turn5.png", "turn7.webp"} {
		content, err := os.ReadFile("testdata/pillow/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	limits := Limits{Pixels: 1 << 16, Bytes: 1 << 20}
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := DecodeImage(content, limits, ExifTranspose())
		if err != nil {
			return
		}
		w, h := p.Size()
		if w < 1 || h < 1 || w > limits.Pixels/h {
			t.Fatalf("image of %dx%d", w, h)
		}
		m := p.Region(image.Rect(0, 0, w, h))
		if m.W != w || m.H != h || len(m.Pix) != 3*m.W*m.H {
			t.Errorf("image of %dx%d with %d bytes", m.W, m.H, len(m.Pix))
		}
	})
}
