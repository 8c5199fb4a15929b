package jpeg

import (
	"image"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestInterpolation compares the chroma of each row with weights of 3/4 and 1/4 in each direction, computed in float64. Images may begin between two
// samples.
func TestInterpolation(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440,
		image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		for _, bounds := range []image.Rectangle{
			image.Rect(0, 0, 9, 7), image.Rect(0, 0, 50, 8), image.Rect(0, 0, 5, 1), image.Rect(3, 1, 14, 9), image.Rect(6, 5, 13, 8), image.Rect(8, 4, 49, 9),
		} {
			src := image.NewYCbCr(image.Rect(0, 0, 60, 20), ratio)
			for _, plane := range [][]uint8{src.Y, src.Cb, src.Cr} {
				copy(plane, randomBytes(r, len(plane)))
			}
			src = src.SubImage(bounds).(*image.YCbCr)
			checkInterpolation(t, src, FromYCbCr(src))
		}
	}
}

func checkInterpolation(t *testing.T, src *image.YCbCr, m *Image) {
	t.Helper()
	across, down := subsampling(src.SubsampleRatio)
	r, o := src.Rect, m.origin
	var luma, cb line
	luma.init(&m.planes[0], o.X, o.X+m.w)
	cb.init(&m.planes[1], o.X, o.X+m.w)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		fine, coarse := luma.row(o.Y+y-r.Min.Y), cb.row(o.Y+y-r.Min.Y)
		for x := r.Min.X; x < r.Max.X; x++ {
			if got, want := fine[x-r.Min.X], src.Y[src.YOffset(x, y)]; got != want {
				t.Fatalf("%v of %v: luma at %d, %d is %d, want %d", r, src.SubsampleRatio, x, y, got, want)
			}
			want := 0.0
			for _, s := range nearest(x, across, r.Min.X, r.Max.X, across == 4) {
				for _, l := range nearest(y, down, r.Min.Y, r.Max.Y, across == 4) {
					want += s.weight * l.weight * float64(src.Cb[src.COffset(s.at*across, l.at*down)])
				}
			}
			if d := float64(coarse[x-r.Min.X]) - want; d > 0.76 || d < -0.76 {
				t.Fatalf("%v of %v at %d, %d: %d, want %g", r, src.SubsampleRatio, x, y, coarse[x-r.Min.X], want)
			}
		}
	}
}

type weighted struct {
	at     int
	weight float64
}

// nearest are the samples that position x of [min, max) is made of.
func nearest(x, step, low, high int, repeat bool) []weighted {
	if step != 2 || repeat {
		return []weighted{{x / step, 1}}
	}
	next := min(max(x/2-1+2*(x%2), low/2), (high-1)/2)
	return []weighted{{x / 2, 0.75}, {next, 0.25}}
}

func TestFromYCbCrPanics(t *testing.T) {
	for _, r := range []image.Rectangle{{}, image.Rect(-1, 0, 2, 2), image.Rect(0, -4, 2, 2)} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "jpeg: FromYCbCr") {
					t.Errorf("%v: panic %q", r, text)
				}
			}()
			FromYCbCr(&image.YCbCr{Rect: r})
		}()
	}
}
