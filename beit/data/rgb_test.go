package data

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/tiff"
)

// A window of an image gives what the same pixels give alone, for each type of image.
func TestFromImageOfWindow(t *testing.T) {
	bounds, window := image.Rect(0, 0, 21, 17), image.Rect(5, 3, 19, 12)
	ycbcr := image.NewYCbCr(bounds, image.YCbCrSubsampleRatio444)
	for i := range ycbcr.Y {
		ycbcr.Y[i], ycbcr.Cb[i], ycbcr.Cr[i] = uint8(7*i), uint8(100+i), uint8(200-3*i)
	}
	palette := color.Palette{color.NRGBA{1, 2, 3, 255}, color.NRGBA{250, 9, 77, 255}, color.NRGBA{0, 255, 0, 255}}
	for name, m := range map[string]draw.Image{
		"gray": image.NewGray(bounds), "nrgba": image.NewNRGBA(bounds), "rgba": image.NewRGBA(bounds), "nrgba64": image.NewNRGBA64(bounds),
		"rgba64": image.NewRGBA64(bounds), "cmyk": image.NewCMYK(bounds), "paletted": image.NewPaletted(bounds, palette), "gray16": image.NewGray16(bounds),
	} {
		for y := range bounds.Dy() {
			for x := range bounds.Dx() {
				m.Set(x, y, color.NRGBA{uint8(12 * x), uint8(15 * y), uint8(x * y), 255})
			}
		}
		checkWindow(t, name, m, m.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(window), window)
	}
	checkWindow(t, "ycbcr", ycbcr, ycbcr.SubImage(window), window)
}

// Planes may begin anywhere. At positions from 0 on they give what a copy at the origin gives. At negative ones each pixel has the sample that the
// image package gives it.
func TestFromImageOfPlanes(t *testing.T) {
	for _, ratio := range ratios {
		all := randomPlanes(image.Rect(-15, -13, 24, 23), ratio, 1)
		for _, r := range []image.Rectangle{
			all.Rect, image.Rect(-1, -1, 7, 7), image.Rect(-2, 4, 1, 5), image.Rect(3, -6, 14, 9), image.Rect(-11, -9, -2, -1),
			image.Rect(0, 0, 8, 6), image.Rect(5, 3, 18, 12), image.Rect(7, 7, 8, 8),
		} {
			part := all.SubImage(r).(*image.YCbCr)
			to, as := r, ratio
			if r.Min.X < 0 || r.Min.Y < 0 {
				to, as = r.Sub(r.Min), image.YCbCrSubsampleRatio444
			}
			want := samples(part, to, as)
			alpha := &image.NYCbCrA{YCbCr: *part, A: make([]uint8, r.Dx()*r.Dy()), AStride: r.Dx()}
			for _, m := range []image.Image{part, alpha} {
				if m == alpha && want.SubsampleRatio == image.YCbCrSubsampleRatio420 {
					continue // taken for a WebP's
				}
				got, err := FromImage(m, DefaultLimits)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(whole(newPlanes(want, false)), got); diff != "" {
					t.Errorf("%v, %v, %T: %s", ratio, r, m, diff)
				}
			}
		}
	}
}

// samples copies src to r.
func samples(src *image.YCbCr, r image.Rectangle, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	m := image.NewYCbCr(r, ratio)
	for y := range r.Dy() {
		for x := range r.Dx() {
			c := src.YCbCrAt(src.Rect.Min.X+x, src.Rect.Min.Y+y)
			luma, chroma := m.YOffset(r.Min.X+x, r.Min.Y+y), m.COffset(r.Min.X+x, r.Min.Y+y)
			m.Y[luma], m.Cb[chroma], m.Cr[chroma] = c.Y, c.Cb, c.Cr
		}
	}
	return m
}

// A WebP file with alpha, decoded by the image package and converted, gives the same as Decode.
func TestFromImageOfWebP(t *testing.T) {
	file, err := os.Open("testdata/pillow/alpha.webp")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	m, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := FromImage(m, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decodeFile(t, "testdata/pillow/alpha.webp"), got); diff != "" {
		t.Errorf("%T: %s", m, diff)
	}
}

// Premultiplied colours become what Pillow's unpackers of such TIFF files compute, from memory and from a file.
func TestPremultiplied(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 5, 1))
	copy(m.Pix, []uint8{100, 50, 25, 128, 7, 8, 9, 255, 0, 0, 0, 0, 1, 2, 3, 3, 200, 1, 9, 100})
	deep := image.NewRGBA64(m.Rect)
	for i, v := range m.Pix {
		deep.Pix[2*i], deep.Pix[2*i+1] = v, uint8(77*i)
	}
	want := &RGB{5, 1, []uint8{199, 99, 49, 7, 8, 9, 0, 0, 0, 85, 170, 255, 255, 2, 22}}
	for _, src := range []image.Image{m, deep} {
		var file bytes.Buffer
		if err := tiff.Encode(&file, src, nil); err != nil {
			t.Fatal(err)
		}
		decoded, err := Decode(file.Bytes(), DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		converted, err := FromImage(src, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, converted) + cmp.Diff(want, decoded); diff != "" {
			t.Errorf("%T: %s", src, diff)
		}
	}
}

// An RGB is an image.Image of the same pixels.
func TestRGBIsImage(t *testing.T) {
	want := noise(7, 5, 1)
	got, err := FromImage(want, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := Decode(encodePNG(t, want), DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got) + cmp.Diff(want, decoded); diff != "" {
		t.Error(diff)
	}
	if c := want.At(7, 0); c != (color.RGBA{}) {
		t.Errorf("%v outside", c)
	}
}

func checkWindow(t *testing.T, name string, whole, part image.Image, window image.Rectangle) {
	t.Helper()
	all, err := FromImage(whole, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	got, err := FromImage(part, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	want := NewRGB(window.Dx(), window.Dy())
	for y := range want.H {
		copy(want.row(y, 0, want.W), all.row(window.Min.Y+y, window.Min.X, window.Max.X))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}
