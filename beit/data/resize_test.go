package data

import (
	"image"
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
	"github.com/google/go-cmp/cmp"
)

// noise is an image of random pixels.
func noise(w, h int, seed uint64) *RGB {
	m := NewRGB(w, h)
	r := tensor.NewRand(seed)
	for i := range m.Pix {
		m.Pix[i] = uint8(r.Uint32())
	}
	return m
}

// resizeReference is one channel value of a resize, in float64 and without the rounding between passes.
func resizeReference(m *RGB, box image.Rectangle, w, h int, f Filter, x, y, c int) float64 {
	wx, fromX := referenceWeights(box.Dx(), w, x, f)
	wy, fromY := referenceWeights(box.Dy(), h, y, f)
	sum := 0.0
	for j, b := range wy {
		for i, a := range wx {
			sum += a * b * float64(m.Pix[3*((box.Min.Y+fromY+j)*m.W+box.Min.X+fromX+i)+c])
		}
	}
	return min(max(sum, 0), 255)
}

func referenceWeights(in, out, i int, f Filter) (weights []float64, from int) {
	scale := float64(in) / float64(out)
	shrink := math.Max(scale, 1)
	centre := (float64(i)+0.5)*scale - 0.5
	from = -1
	sum := 0.0
	for x := range in {
		if w := filters[f].f((float64(x) - centre) / shrink); math.Abs(float64(x)-centre) < filters[f].support*shrink {
			if from < 0 {
				from = x
			}
			weights = append(weights, w)
			sum += w
		}
	}
	for k := range weights {
		weights[k] /= sum
	}
	return weights, from
}

func TestResizeAgainstFloat64(t *testing.T) {
	m := noise(23, 19, 1)
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		for _, c := range []struct {
			box  image.Rectangle
			w, h int
		}{
			{m.Bounds(), 7, 5}, {m.Bounds(), 40, 31}, {m.Bounds(), 1, 1}, {m.Bounds(), 23, 5}, {m.Bounds(), 7, 19},
			{image.Rect(3, 4, 20, 15), 9, 16}, {image.Rect(5, 5, 6, 6), 4, 4}, {image.Rect(0, 18, 23, 19), 8, 3},
		} {
			got := Resize(m, c.box, c.w, c.h, f)
			for y := range c.h {
				for x := range c.w {
					for ch := range 3 {
						want := resizeReference(m, c.box, c.w, c.h, f, x, y, ch)
						// Each pass rounds, the first one by half a level times the sum of |weights|, up to 1.5. Filters that overshoot
						// are also clamped at black and white after the first pass.
						bound := 1.3
						if f != Bilinear {
							bound = 40
						}
						if d := math.Abs(float64(got.Pix[3*(y*c.w+x)+ch]) - want); d > bound {
							t.Fatalf("%v %v to %dx%d: (%d, %d, %d) is %d, want %g", f, c.box, c.w, c.h, x, y, ch, got.Pix[3*(y*c.w+x)+ch], want)
						}
					}
				}
			}
		}
	}
}

// TestResizeWindow: a window of a resize is the crop of the whole one.
func TestResizeWindow(t *testing.T) {
	m := noise(50, 37, 2)
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		for _, size := range []image.Point{{20, 15}, {50, 15}, {20, 37}, {50, 37}, {90, 80}} {
			window := image.Rect(3, 5, 14, 13)
			want := Crop(Resize(m, m.Bounds(), size.X, size.Y, f), window)
			if got := resizeWindow(m, m.Bounds(), size.X, size.Y, f, window); !cmp.Equal(want, got) {
				t.Errorf("%v to %v: the window differs from the crop", f, size)
			}
		}
	}
}

// TestLargeImages needs more than 32 bits, which is all that an int has on some machines.
func TestLargeImages(t *testing.T) {
	if w, h := ShorterSide(6, 10<<20, 224); w != 224 || h != 391468373 {
		t.Errorf("sides of %d and %d", w, h)
	}
	m := NewRGB(4000, 3000)
	for i := range m.Pix {
		m.Pix[i] = 200
	}
	if got := AdjustContrast(m, 0).Pix[0]; got != 200 {
		t.Errorf("without contrast the image is %d", got)
	}
}

func TestShrink(t *testing.T) {
	for size, want := range map[[2]int][2]int{{100, 50}: {20, 10}, {3, 900}: {1, 20}, {20, 7}: {20, 7}, {1, 1}: {1, 1}} {
		m := noise(size[0], size[1], 1)
		if r := Shrink(m, 20); r.W != want[0] || r.H != want[1] || len(r.Pix) != 3*r.W*r.H || (size == want) != (r == m) {
			t.Errorf("%v becomes %d x %d", size, r.W, r.H)
		}
	}
}

func TestParseFilter(t *testing.T) {
	for _, f := range []Filter{Bilinear, Bicubic, Lanczos} {
		if got, err := ParseFilter(f.String()); err != nil || got != f {
			t.Errorf("ParseFilter(%q) = %v, %v", f, got, err)
		}
	}
	if _, err := ParseFilter("nearest"); err == nil {
		t.Error("nearest was accepted")
	}
}
