package patches

import (
	"image/color"
	"math"
)

// oklab is a colour in Oklab (B. Ottosson, 2020), in which equal distances look about equal: lightness from 0 to 1, green to red, blue to yellow.
type oklab struct{ l, a, b float64 }

// polar is the colour of a lightness, a chroma and a hue in degrees.
func polar(l, chroma, hue float64) oklab {
	sin, cos := math.Sincos(hue * math.Pi / 180)
	return oklab{l, chroma * cos, chroma * sin}
}

// rgb converts to sRGB. Values outside it are cut off.
func (c oklab) rgb() color.RGBA {
	cube := func(v float64) float64 { return v * v * v }
	l := cube(c.l + 0.3963377774*c.a + 0.2158037573*c.b)
	m := cube(c.l - 0.1055613458*c.a - 0.0638541728*c.b)
	s := cube(c.l - 0.0894841775*c.a - 1.2914855480*c.b)
	return color.RGBA{
		encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s), 255,
	}
}

// encode is the byte of a linear value, by the curve of sRGB.
func encode(v float64) uint8 {
	if v = min(max(v, 0), 1); v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * v))
}

// Map is the colour map of Colour, from dark to light.
var Map = makeMap()

// makeMap walks from dark blue over purple and orange to pale yellow. Lightness rises evenly, and so the map reads the same in grey.
func makeMap() (list [256]color.RGBA) {
	for i := range list {
		t := float64(i) / 255
		chroma := 0.03 + 0.13*math.Sin(math.Pi*math.Pow(t, 0.9))
		list[i] = polar(0.16+0.8*t, chroma, 275+195*t).rgb() // hue 275 is blue, 470 = 110 yellow
	}
	return list
}

// Colour is the colour of a value between low and high. Values outside get the colour of the nearer end.
func Colour(v, low, high float64) color.RGBA {
	if high <= low {
		return Map[0]
	}
	return Map[int(math.Round(255*min(max((v-low)/(high-low), 0), 1)))]
}

// golden is the part of a circle by which the hues of codes that follow each other differ: no two codes meet soon.
const golden = 0.6180339887498949

// CodeColour is the colour of a code: the same for the same code in all drawings. Codes that are near each other in number differ in hue and
// lightness. There are not as many colours as codes: some are alike.
func CodeColour(code int32) color.RGBA {
	_, turn := math.Modf(float64(code) * golden)
	lightness := 0.45 + 0.1*float64(uint32(code)%5)
	return polar(lightness, 0.14, 360*turn).rgb()
}

// ink is black or white, whichever is easier to read on a colour.
func ink(ground color.RGBA) color.RGBA {
	if luminance(ground) > 0.18 {
		return color.RGBA{0, 0, 0, 255}
	}
	return color.RGBA{255, 255, 255, 255}
}

// luminance is the relative luminance of a colour, from 0 to 1.
func luminance(c color.RGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}
