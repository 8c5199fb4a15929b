package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

var ratios = []image.YCbCrSubsampleRatio{
	image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440,
	image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
}

func randomPlanes(r image.Rectangle, ratio image.YCbCrSubsampleRatio, seed uint64) *image.YCbCr {
	m, rand := image.NewYCbCr(r, ratio), tensor.NewRand(seed)
	for _, plane := range [][]uint8{m.Y, m.Cb, m.Cr} {
		for i := range plane {
			plane[i] = uint8(rand.Uint32())
		}
	}
	return m
}

// windowOf cuts box out of m, a pixel at a time.
func windowOf(m *RGB, box image.Rectangle) *RGB {
	out := NewRGB(box.Dx(), box.Dy())
	for y := range out.H {
		copy(out.row(y, 0, out.W), m.row(box.Min.Y+y, box.Min.X, box.Max.X))
	}
	return out
}

// A region is the same pixels as in the whole picture, in every way of subsampling, every size and orientation.
func TestRegionIsPartOfWhole(t *testing.T) {
	rand := tensor.NewRand(1)
	for _, ratio := range ratios {
		for w := 1; w < 12; w++ {
			for o := range orientation(10) {
				src := randomPlanes(image.Rect(0, 0, w, 13-w), ratio, uint64(w))
				p := turn(&planes{src, w%3 == 0 && ratio == image.YCbCrSubsampleRatio420}, o)
				all := whole(p)
				for range 8 {
					x, y := rand.IntN(all.W), rand.IntN(all.H)
					box := image.Rect(x, y, x+1+rand.IntN(all.W-x), y+1+rand.IntN(all.H-y))
					if diff := cmp.Diff(windowOf(all, box), p.Region(box)); diff != "" {
						t.Fatalf("%v, %dx%d, orientation %d, %v: %s", ratio, all.W, all.H, o, box, diff)
					}
				}
			}
		}
	}
}

// TestUpsample compares the chroma of each row with weights of 3/4 and 1/4 in each direction, computed in float64.
func TestUpsample(t *testing.T) {
	for _, ratio := range ratios {
		for _, size := range []image.Point{{9, 7}, {10, 8}, {5, 1}} {
			src := randomPlanes(image.Rectangle{Max: size}, ratio, 3)
			u := newUpsampler(src, src.Rect, false)
			for y := range size.Y {
				cb, _ := u.rows(y)
				for x, v := range cb {
					want := 0.0
					for _, s := range nearest(x, u.across, u.chroma.Dx(), ratio) {
						for _, r := range nearest(y, u.down, u.chroma.Dy(), ratio) {
							want += s.weight * r.weight * float64(src.Cb[r.at*src.CStride+s.at])
						}
					}
					if d := float64(v) - want; d > 0.76 || d < -0.76 {
						t.Fatalf("%v at %d, %d: %d, want %g", ratio, x, y, v, want)
					}
				}
			}
		}
	}
}

type weighted struct {
	at     int
	weight float64
}

// nearest are the samples that position x is made of.
func nearest(x, step, n int, ratio image.YCbCrSubsampleRatio) []weighted {
	quarters := ratio == image.YCbCrSubsampleRatio411 || ratio == image.YCbCrSubsampleRatio410
	if step != 2 || quarters {
		return []weighted{{x / step, 1}}
	}
	return []weighted{{x / 2, 0.75}, {min(max(x/2-1+2*(x%2), 0), n-1), 0.25}}
}

// A resize of a part of unconverted planes gives what it gives on the converted picture.
func TestResizeOfPlanes(t *testing.T) {
	p := &planes{src: randomPlanes(image.Rect(0, 0, 61, 47), image.YCbCrSubsampleRatio420, 5)}
	m := whole(p)
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		for _, size := range []image.Point{{20, 24}, {61, 47}, {90, 33}} {
			window := image.Rect(3, 5, 17, 20)
			want := resizeWindow(m, m.Bounds(), size.X, size.Y, f, window)
			if diff := cmp.Diff(want, resizeWindow(p, m.Bounds(), size.X, size.Y, f, window)); diff != "" {
				t.Errorf("%v to %v: %s", f, size, diff)
			}
		}
	}
}

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
				if got := exifOrientation(content, format); got != orientation(o) {
					t.Errorf("%s, %v: %d, want %d", format, order, got, o)
				}
				for n := range content {
					if got := exifOrientation(content[:n], format); got != 0 && got != orientation(o) {
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
		for _, format := range []string{"jpeg", "png", "webp", "tiff", "gif"} {
			whole(turn(NewRGB(3, 2), exifOrientation(content, format)))
		}
	})
}

func FuzzGIFTransparency(f *testing.F) {
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00abcdef\x21\xf9\x04\x01\x00\x00\x01\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		flags, _, ok := gifTransparency(content)
		if ok && (flags < 13 || flags >= len(content) || content[flags]&1 == 0) {
			t.Errorf("flag at %d of %d", flags, len(content))
		}
	})
}

// An orientation shows in a dataset only when asked for.
func TestUprightDataset(t *testing.T) {
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
	}{{nil, "6x4", 0}, {[]Option{Upright()}, "4x6", 3}} {
		got, err := Decode(content, DefaultLimits, c.options...)
		if err != nil {
			t.Fatal(err)
		}
		if size := fmt.Sprintf("%dx%d", got.W, got.H); size != c.size || got.Pix[3*c.white] != 255 {
			t.Errorf("%s with %v, want %s", size, got.Pix[:12], c.size)
		}
	}
}

func TestRegionPanics(t *testing.T) {
	p := &planes{src: randomPlanes(image.Rect(0, 0, 6, 4), image.YCbCrSubsampleRatio420, 1)}
	for _, p := range []Image{p, turn(p, 5), NewRGB(6, 4)} {
		for _, box := range []image.Rectangle{{}, image.Rect(0, 0, 7, 7), image.Rect(-1, 0, 2, 2)} {
			func() {
				defer func() {
					if text, _ := recover().(string); !strings.HasPrefix(text, "data: ") {
						t.Errorf("%T, %v: panic %q", p, box, text)
					}
				}()
				p.Region(box)
			}()
		}
	}
}
