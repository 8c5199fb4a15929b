package data

import (
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// luma is the brightness of a pixel, ITU-R 601 with 16 fractional bits.
func luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 32768) >> 16)
}

// Grayscale returns the luma of each pixel, H*W values.
func Grayscale(m *RGB) []uint8 {
	out := make([]uint8, m.W*m.H)
	for i := range out {
		out[i] = luma(m.Pix[3*i], m.Pix[3*i+1], m.Pix[3*i+2])
	}
	return out
}

// blend interpolates between a (f = 0) and b (f = 1), and extrapolates beyond b for f > 1. It computes in float32 and cuts off the fraction.
// The conversion around the product keeps it from being fused with the sum.
func blend(a, b uint8, f float32) uint8 {
	v := float32(a) + float32(f*float32(int(b)-int(a)))
	return uint8(min(max(v, 0), 255))
}

// mapped applies a lookup table to every value.
func mapped(m *RGB, table *[256]uint8) *RGB {
	out := NewRGB(m.W, m.H)
	for i, v := range m.Pix {
		out.Pix[i] = table[v]
	}
	return out
}

// AdjustBrightness changes the brightness: it blends m with black. A factor of 1 changes nothing.
func AdjustBrightness(m *RGB, factor float32) *RGB {
	return blendWith(m, 0, factor)
}

// AdjustContrast changes the contrast: it blends m with the grey of its rounded mean luma. A factor of 1 changes nothing.
func AdjustContrast(m *RGB, factor float32) *RGB {
	sum := int64(0) // 32 bits hold that of 8 million white pixels
	for p := m.Pix; len(p) >= 3; p = p[3:] {
		sum += int64(luma(p[0], p[1], p[2]))
	}
	mean := float64(sum) / float64(m.W*m.H)
	return blendWith(m, uint8(mean+0.5), factor)
}

func blendWith(m *RGB, grey uint8, factor float32) *RGB {
	var table [256]uint8
	for v := range table {
		table[v] = blend(grey, uint8(v), factor)
	}
	return mapped(m, &table)
}

// AdjustSaturation changes the saturation: it blends each pixel with its luma. A factor of 1 changes nothing.
func AdjustSaturation(m *RGB, factor float32) *RGB {
	out := NewRGB(m.W, m.H)
	for i := 0; i < len(m.Pix); i += 3 {
		p, q := m.Pix[i:i+3:i+3], out.Pix[i:i+3:i+3]
		l := luma(p[0], p[1], p[2])
		q[0], q[1], q[2] = blend(l, p[0], factor), blend(l, p[1], factor), blend(l, p[2], factor)
	}
	return out
}

// AdjustHue shifts the hue by factor, a fraction of the full circle in [-0.5, 0.5], in 8-bit HSV.
func AdjustHue(m *RGB, factor float64) *RGB {
	out := NewRGB(m.W, m.H)
	turn := uint8(int(factor * 255))
	for i := 0; i < len(m.Pix); i += 3 {
		h, s, v := toHSV(m.Pix[i], m.Pix[i+1], m.Pix[i+2])
		out.Pix[i], out.Pix[i+1], out.Pix[i+2] = fromHSV(h+turn, s, v)
	}
	return out
}

// toHSV computes in float32 and cuts off fractions, as Pillow does.
func toHSV(r, g, b uint8) (h, s, v uint8) {
	high, low := max(r, g, b), min(r, g, b)
	if high == low {
		return 0, 0, high
	}
	spread := float32(high - low)
	rc, gc, bc := float32(high-r)/spread, float32(high-g)/spread, float32(high-b)/spread
	var hue float32
	switch high {
	case r:
		hue = bc - gc
	case g:
		hue = float32(2 + float64(rc) - float64(bc))
	default:
		hue = float32(4 + float64(gc) - float64(rc))
	}
	hue = float32(math.Mod(float64(hue)/6+1, 1))
	saturation := spread / float32(high)
	return uint8(float64(hue) * 255), uint8(float64(saturation) * 255), high
}

func fromHSV(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	sector := int(float64(h) * 6 / 255)
	f := float64(float32(float64(h)*6/255 - float64(sector)))
	fs := float64(float32(s) / 255)
	p := roundUp(float64(v) * (1 - fs))
	q := roundUp(float64(v) * (1 - float64(fs*f)))
	t := roundUp(float64(v) * (1 - float64(fs*(1-f))))
	switch sector % 6 {
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

func roundUp(x float64) uint8 { return uint8(min(max(math.Round(x), 0), 255)) }

// jitter changes brightness, contrast and saturation by factors uniform in [1-strength, 1+strength], in random order.
func jitter(m *RGB, strength float64, r *tensor.Rand) *RGB {
	order := r.Perm(3)
	var factors [3]float32
	for i := range factors {
		factors[i] = float32(r.Uniform(1-strength, 1+strength))
	}
	for _, op := range order {
		switch op {
		case 0:
			m = AdjustBrightness(m, factors[op])
		case 1:
			m = AdjustContrast(m, factors[op])
		case 2:
			m = AdjustSaturation(m, factors[op])
		}
	}
	return m
}

// jitterHue changes brightness and contrast by factors uniform in [1-strength, 1+strength], and saturation by half as much. It shifts the hue
// by up to a quarter of strength. The order is random.
func jitterHue(m *RGB, strength float64, r *tensor.Rand) *RGB {
	order := r.Perm(4)
	factor := func(s float64) float32 { return float32(r.Uniform(max(1-s, 0), 1+s)) }
	brightness, contrast, saturation := factor(strength), factor(strength), factor(strength/2)
	turn := r.Uniform(-strength/4, strength/4)
	for _, op := range order {
		switch op {
		case 0:
			m = AdjustBrightness(m, brightness)
		case 1:
			m = AdjustContrast(m, contrast)
		case 2:
			m = AdjustSaturation(m, saturation)
		case 3:
			m = AdjustHue(m, turn)
		}
	}
	return m
}

// grey replaces each pixel by its luma.
func grey(m *RGB) *RGB {
	out := NewRGB(m.W, m.H)
	for i, v := range Grayscale(m) {
		out.Pix[3*i], out.Pix[3*i+1], out.Pix[3*i+2] = v, v, v
	}
	return out
}
