package masks

import (
	"math"

	"github.com/gobeit/gobeit/beit/data"
	"github.com/gobeit/gobeit/tensor"
)

// Ranges of the photometric distortion, with hue in half degrees.
const (
	brightness = 32
	hue        = 18
)

var factors = [2]float64{0.5, 1.5} // of contrast and saturation

// distort is the photometric distortion of mmsegmentation: brightness, contrast, saturation and hue, each of half of the images. Contrast comes
// before or after the colours, which a coin decides. Results of each are cut to 0 to 255, and their fractions cut off. Products are rounded
// before they are added, on every machine.
func distort(m *data.RGB, r *tensor.Rand) {
	coin := func() bool { return r.Uint32()&1 == 1 }
	if coin() {
		add := r.Uniform(-brightness, brightness)
		adjust(m, 1, add)
	}
	early := coin()
	if early && coin() {
		adjust(m, r.Uniform(factors[0], factors[1]), 0)
	}
	if coin() {
		factor := r.Uniform(factors[0], factors[1])
		eachHSV(m, func(h, s uint8) (uint8, uint8) { return h, cut(float64(s) * factor) })
	}
	if coin() {
		turn := r.IntN(2*hue) - hue
		eachHSV(m, func(h, s uint8) (uint8, uint8) { return uint8((int(h) + turn + hues) % hues), s })
	}
	if !early && coin() {
		adjust(m, r.Uniform(factors[0], factors[1]), 0)
	}
}

// adjust multiplies and adds. It computes in float32, as the code of the recipe does.
func adjust(m *data.RGB, factor, add float64) {
	var table [256]uint8
	for v := range table {
		table[v] = cut(float64(float32(float32(v)*float32(factor)) + float32(add)))
	}
	for i, v := range m.Pix {
		m.Pix[i] = table[v]
	}
}

// cut cuts a value to 0 to 255 and its fraction off.
func cut(v float64) uint8 { return uint8(min(max(v, 0), 255)) }

// hues is the number of hues, of two degrees each.
const hues = 180

// eachHSV changes hue and saturation of all pixels.
func eachHSV(m *data.RGB, f func(h, s uint8) (uint8, uint8)) {
	for i := 0; i < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3 : i+3]
		h, s, v := toHSV(p[0], p[1], p[2])
		h, s = f(h, s)
		p[0], p[1], p[2] = fromHSV(h, s, v)
	}
}

// toHSV is OpenCV's conversion of 8-bit colours: hue from 0 to 179, saturation and value from 0 to 255, rounded to the nearest.
func toHSV(r, g, b uint8) (h, s, v uint8) {
	high, low := max(r, g, b), min(r, g, b)
	spread := float64(high - low)
	if spread == 0 {
		return 0, 0, high
	}
	var angle float64 // in sixths of a circle
	switch high {
	case r:
		angle = (float64(g) - float64(b)) / spread
	case g:
		angle = 2 + (float64(b)-float64(r))/spread
	default:
		angle = 4 + (float64(r)-float64(g))/spread
	}
	turn := int(math.RoundToEven(angle * hues / 6))
	return uint8((turn + hues) % hues), uint8(math.RoundToEven(255 * spread / float64(high))), high
}

// fromHSV is the inverse of toHSV, but for rounding.
func fromHSV(h, s, v uint8) (r, g, b uint8) {
	angle := float64(h) * 6 / hues
	sector := math.Floor(angle)
	f, saturation, value := angle-sector, float64(s)/255, float64(v)
	p := round(value * (1 - saturation))
	q := round(value * (1 - float64(saturation*f)))
	t := round(value * (1 - float64(saturation*(1-f))))
	switch int(sector) {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}

func round(v float64) uint8 { return uint8(math.RoundToEven(v)) }
