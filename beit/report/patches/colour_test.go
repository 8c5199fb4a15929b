package patches

import (
	"image/color"
	"math"
	"testing"
)

// fromRGB is the colour in Oklab of sRGB.
func fromRGB(c color.RGBA) oklab {
	linear := func(v uint8) float64 { return luminance(color.RGBA{v, v, v, 255}) }
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return oklab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s, 1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func distance(x, y oklab) float64 {
	return math.Sqrt((x.l-y.l)*(x.l-y.l) + (x.a-y.a)*(x.a-y.a) + (x.b-y.b)*(x.b-y.b))
}

// Equal differences of values look about equal, and grey tells larger from smaller everywhere.
func TestMapIsEven(t *testing.T) {
	const step = 15
	mean := 0.0
	for i := step; i < 256; i += step {
		mean += distance(fromRGB(Map[i]), fromRGB(Map[i-step])) / 17
	}
	for i := step; i < 256; i += step {
		a, b := fromRGB(Map[i-step]), fromRGB(Map[i])
		if d := distance(a, b); d < 0.8*mean || d > 1.2*mean {
			t.Errorf("values %d to %d: distance %.4f, mean %.4f", i-step, i, d, mean)
		}
		if rise := b.l - a.l; rise < 0.03 {
			t.Errorf("values %d to %d: lightness rises by %.4f", i-step, i, rise)
		}
	}
	for i := 1; i < 256; i++ {
		if luminance(Map[i]) <= luminance(Map[i-1]) {
			t.Errorf("value %d is not lighter than the one before", i)
		}
	}
}

// Numbers that follow each other get colours that can be told apart, and text on a colour can be read.
func TestCodeColours(t *testing.T) {
	for code := range int32(2000) {
		if d := distance(fromRGB(CodeColour(code)), fromRGB(CodeColour(code+1))); d < 0.1 {
			t.Errorf("codes %d and %d: distance %.3f", code, code+1, d)
		}
		ground := CodeColour(code)
		high, low := luminance(ground)+0.05, luminance(ink(ground))+0.05
		if ratio := max(high, low) / min(high, low); ratio < 4.5 {
			t.Errorf("code %d: contrast of its text %.2f", code, ratio)
		}
	}
}

func TestColour(t *testing.T) {
	for _, c := range []struct {
		v, low, high float64
		want         int
	}{{0, 0, 1, 0}, {1, 0, 1, 255}, {0.5, 0, 1, 128}, {-3, 0, 1, 0}, {9, 0, 1, 255}, {0.2, 0.1, 0.3, 128}, {5, 2, 2, 0}} {
		if got := Colour(c.v, c.low, c.high); got != Map[c.want] {
			t.Errorf("%g of %g … %g: %v, want entry %d", c.v, c.low, c.high, got, c.want)
		}
	}
}
