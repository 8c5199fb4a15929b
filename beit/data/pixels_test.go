package data

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

// boxed is an image of a type of a program's own.
type boxed struct{ image.Gray }

// Images that are nil under their type, or whose memory is too short, give an error and no panic.
func TestImagesWithoutPixels(t *testing.T) {
	r := image.Rect(0, 0, 4, 3)
	whole := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	short := func(y, c int) *image.YCbCr {
		m := *whole
		m.Y, m.Cb = m.Y[:y], m.Cb[:c]
		return &m
	}
	strides := image.NewRGBA(r)
	strides.Stride = math.MaxInt / 2
	chromaStride := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	chromaStride.CStride = math.MaxInt / 2
	for _, c := range []struct {
		name string
		src  image.Image
		want string
	}{
		{"nil", nil, "the image is nil"},
		{"nil RGBA", (*image.RGBA)(nil), "the image is nil"},
		{"nil RGB", (*RGB)(nil), "the image is nil"},
		{"nil YCbCr", (*image.YCbCr)(nil), "the image is nil"},
		{"nil of another type", (*boxed)(nil), "the image is nil"},
		{"RGB", &RGB{W: 4, H: 3}, "fewer pixels"},
		{"Gray", &image.Gray{Rect: r, Stride: 4, Pix: make([]uint8, 11)}, "fewer pixels"},
		{"Gray16", &image.Gray16{Rect: r, Stride: 8, Pix: make([]uint8, 23)}, "fewer pixels"},
		{"Alpha", &image.Alpha{Rect: r, Stride: 4}, "fewer pixels"},
		{"Alpha16", &image.Alpha16{Rect: r, Stride: 8}, "fewer pixels"},
		{"RGBA", &image.RGBA{Rect: r, Stride: 16, Pix: make([]uint8, 47)}, "fewer pixels"},
		{"RGBA, stride", strides, "fewer pixels"},
		{"RGBA, negative stride", &image.RGBA{Rect: r, Stride: -16, Pix: make([]uint8, 48)}, "fewer pixels"},
		{"NRGBA", &image.NRGBA{Rect: r, Stride: 16}, "fewer pixels"},
		{"CMYK", &image.CMYK{Rect: r, Stride: 16}, "fewer pixels"},
		{"RGBA64", &image.RGBA64{Rect: r, Stride: 32, Pix: make([]uint8, 95)}, "fewer pixels"},
		{"NRGBA64", &image.NRGBA64{Rect: r, Stride: 32}, "fewer pixels"},
		{"YCbCr without luma", short(11, 4), "fewer pixels"},
		{"YCbCr without chroma", short(12, 3), "fewer pixels"},
		{"NYCbCrA", &image.NYCbCrA{YCbCr: *short(12, 0)}, "fewer pixels"},
		{"Paletted", &image.Paletted{Rect: r, Stride: 4, Palette: color.Palette{color.White}}, "fewer pixels"},
		{"Paletted without a palette", image.NewPaletted(r, nil), "colour 0 of a palette of 0"},
		{"Paletted, a colour that is nil", image.NewPaletted(r, color.Palette{nil}), "a colour that is nil"},
		{"whole", whole, ""},
		{"whole, the end of its last row", whole.SubImage(image.Rect(2, 2, 4, 3)), ""},
		{"whole, the end of its last row of chroma", image.NewYCbCr(image.Rect(0, 0, 8, 4), image.YCbCrSubsampleRatio420).SubImage(image.Rect(5, 2, 8, 4)), ""},
		{"YCbCr, stride of chroma", chromaStride, "fewer pixels"},
		{"whole, a part", whole.SubImage(image.Rect(1, 1, 4, 3)), ""},
		{"whole, paletted", image.NewPaletted(r, color.Palette{color.White}), ""},
		{"whole, of another type", &boxed{*image.NewGray(r)}, ""},
	} {
		got, err := FromImage(c.src, DefaultLimits)
		if c.want == "" && (err != nil || got.W != c.src.Bounds().Dx()) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := NewLoader(nil, LoaderOptions{}); err == nil || !strings.Contains(err.Error(), "the dataset is nil") {
		t.Errorf("a loader of nothing: %v", err)
	}
}
