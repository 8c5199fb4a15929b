package data

import (
	"image"
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

// A region is the same pixels as in the whole image, in every way of subsampling, every size and orientation.
func TestRegionIsPartOfWhole(t *testing.T) {
	rand := tensor.NewRand(1)
	for _, ratio := range ratios {
		for w := 1; w < 12; w++ {
			for o := range orientation(10) {
				src := randomPlanes(image.Rect(0, 0, w, 13-w), ratio, uint64(w))
				p := transposed(newPlanes(src, w%3 == 0), o)
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

// A resize of a part of unconverted planes gives what it gives on the converted image.
func TestResizeOfPlanes(t *testing.T) {
	p := newPlanes(randomPlanes(image.Rect(0, 0, 61, 47), image.YCbCrSubsampleRatio420, 5), false)
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

func TestRegionPanics(t *testing.T) {
	src := randomPlanes(image.Rect(0, 0, 6, 4), image.YCbCrSubsampleRatio420, 1)
	p := newPlanes(src, false)
	for _, p := range []Image{p, newPlanes(src, true), transposed(p, 5), NewRGB(6, 4)} {
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
