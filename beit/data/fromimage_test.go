package data

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A window on a picture gives what the same pixels give alone, whatever the kind of picture.
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
	want := NewImage(window.Dx(), window.Dy())
	for y := range want.H {
		copy(want.row(y, 0, want.W), all.row(window.Min.Y+y, window.Min.X, window.Max.X))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}
