package patches

import (
	"image"
	"image/color"
	"testing"

	"github.com/gobeit/gobeit/beit/data"
)

// square is an image of 4 x 4 pixels, each of another colour.
func square() *data.RGB {
	m := data.NewRGB(4, 4)
	for i := range m.Pix {
		m.Pix[i] = uint8(5*i + 3)
	}
	return m
}

// middle is the colour in the middle of patch i of a grid, a bit above it, where no text is.
func middle(m *image.RGBA, grid, i int) color.RGBA {
	b := box(m.Rect, grid, i)
	return m.RGBAAt((b.Min.X+b.Max.X)/2, b.Min.Y+b.Dy()/8)
}

func TestScale(t *testing.T) {
	m := square()
	out := Scale(m, 10)
	if out.Rect != image.Rect(0, 0, 12, 12) {
		t.Fatalf("size %v", out.Rect)
	}
	for y := range 12 {
		for x := range 12 {
			if got, want := out.RGBAAt(x, y), m.At(x/3, y/3); got != want {
				t.Fatalf("pixel (%d, %d) is %v, want %v", x, y, got, want)
			}
		}
	}
	if small := Scale(m, 2); small.Rect.Dx() != 4 {
		t.Errorf("an image is made smaller: %v", small.Rect)
	}
}

// Patches of the same code have the same tint, and a line stands where the code changes.
func TestCodes(t *testing.T) {
	grey := data.NewRGB(4, 4)
	out := Codes(grey, 2, []int32{7, 7, 7, 900}, 200)
	if a, b := middle(out, 2, 0), middle(out, 2, 1); a != b {
		t.Errorf("code 7 is %v and %v", a, b)
	}
	if a, b := middle(out, 2, 2), middle(out, 2, 3); a == b {
		t.Errorf("codes 7 and 900 are both %v", a)
	}
	black := color.RGBA{0, 0, 0, 255}
	if got := out.RGBAAt(100, 110); got != black {
		t.Errorf("between codes 7 and 900: %v", got)
	}
	if got := out.RGBAAt(100, 10); got == black {
		t.Error("a line between patches of the same code")
	}
	large, tiny := Codes(grey, 2, []int32{7, 7, 7, 7}, 200), Codes(grey, 2, []int32{7, 7, 7, 7}, 16)
	if !hasInk(large) || hasInk(tiny) {
		t.Error("the number is missing where there is room, or is there where there is none")
	}
	defer func() {
		if recover() == nil {
			t.Error("three codes for four patches")
		}
	}()
	Codes(grey, 2, []int32{1, 2, 3}, 100)
}

// hasInk says whether the letters of code 7 were written.
func hasInk(m *image.RGBA) bool {
	for y := range m.Rect.Dy() {
		for x := range m.Rect.Dx() {
			if m.RGBAAt(x, y) == ink(CodeColour(7)) {
				return true
			}
		}
	}
	return false
}

// What is masked cannot be seen; what is kept stays as it is, and the rest is darker.
func TestMaskedAndKept(t *testing.T) {
	white := data.NewRGB(4, 4)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	on := []bool{true, false, false, true}
	masked, kept := Masked(white, 2, on, 40), Kept(white, 2, on, 40)
	for i, is := range on {
		if got := middle(masked, 2, i); (got == color.RGBA{255, 255, 255, 255}) == is {
			t.Errorf("masked: patch %d is %v", i, got)
		}
		if got := middle(kept, 2, i); (got == color.RGBA{255, 255, 255, 255}) != is || got.R < 40 {
			t.Errorf("kept: patch %d is %v", i, got)
		}
	}
	red := data.NewRGB(2, 2)
	for i := range 4 {
		red.Pix[3*i] = 200
	}
	filled := Filled(white, 2, on, []*data.RGB{red, red, nil, nil}, 40)
	if got := middle(filled, 2, 0); got != (color.RGBA{200, 0, 0, 255}) {
		t.Errorf("a masked patch is filled with %v", got)
	}
	if middle(filled, 2, 1) != middle(masked, 2, 1) || middle(filled, 2, 3) != middle(masked, 2, 3) {
		t.Error("a patch that is not masked was filled, or one with nothing was not hatched")
	}
}

func TestOutline(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 64, 64))
	Outline(m, 2, 1, 0)
	for _, c := range []struct {
		x, y int
		want color.RGBA
	}{{0, 32, color.RGBA{0, 0, 0, 255}}, {2, 34, color.RGBA{255, 255, 255, 255}}, {4, 36, color.RGBA{214, 0, 36, 255}}, {16, 48, color.RGBA{}}, {0, 31, color.RGBA{}}, {32, 40, color.RGBA{}}} {
		if got := m.RGBAAt(c.x, c.y); got != c.want {
			t.Errorf("pixel (%d, %d) is %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestHeat(t *testing.T) {
	values := []float32{-0.05, 0.31, 0.2, 0.1}
	r := RangeOf(values)
	if r.Low != -0.1 || r.High != 0.4 {
		t.Errorf("range %v", r)
	}
	if up := UpTo(values); up.Low != 0 || up.High != float64(float32(0.31)) {
		t.Errorf("range %v", up)
	}
	m := Heat(2, values, r, 30)
	for i, v := range values {
		if got := middle(m, 2, i); got != Colour(float64(v), -0.1, 0.4) {
			t.Errorf("patch %d is %v", i, got)
		}
	}
	p := Values("cosine", 2, values, r, 200)
	if p.Legend == nil || *p.Legend != r || p.Image.Bounds().Dx() != 200 {
		t.Errorf("panel %+v", p)
	}
}
