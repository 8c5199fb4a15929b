package data

import "math"

// Affine transforms m as Pillow's Image.transform with BICUBIC does. The result has the size of m: its pixel (x, y), by its centre, shows m at
// (a[0]·x + a[1]·y + a[2], a[3]·x + a[4]·y + a[5]). Pixels from outside m get the colour fill. The kernel has a = -1 and repeats the border; the
// fraction of a result is cut off.
func Affine(m *RGB, a [6]float64, fill [3]uint8) *RGB {
	out := NewRGB(m.W, m.H)
	for y := range m.H {
		row := out.row(y, 0, m.W)
		for x := range m.W {
			px, py := float64(x)+0.5, float64(y)+0.5
			fx := float64(a[0]*px) + float64(a[1]*py) + a[2]
			fy := float64(a[3]*px) + float64(a[4]*py) + a[5]
			if fx < 0 || fx >= float64(m.W) || fy < 0 || fy >= float64(m.H) {
				copy(row[3*x:], fill[:])
				continue
			}
			interpolate(row[3*x:3*x+3], m, fx-0.5, fy-0.5)
		}
	}
	return out
}

// interpolate writes the colour of m at (fx, fy); pixels have whole coordinates.
func interpolate(dst []uint8, m *RGB, fx, fy float64) {
	x, y := int(math.Floor(fx)), int(math.Floor(fy))
	dx, dy := fx-float64(x), fy-float64(y)
	var columns [4]int
	for k := range columns {
		columns[k] = 3 * min(max(x-1+k, 0), m.W-1)
	}
	for c := range dst {
		var v [4]float64
		for k := range v {
			row := m.row(min(max(y-1+k, 0), m.H-1), 0, m.W)[c:]
			v[k] = cubicAt(float64(row[columns[0]]), float64(row[columns[1]]), float64(row[columns[2]]), float64(row[columns[3]]), dx)
		}
		dst[c] = uint8(min(max(cubicAt(v[0], v[1], v[2], v[3], dy), 0), 255))
	}
}

// cubicAt interpolates between v2 (d = 0) and v3 (d = 1). The conversions keep products from being fused with sums.
func cubicAt(v1, v2, v3, v4, d float64) float64 {
	p2, p3, p4 := v3-v1, float64(2*(v1-v2))+v3-v4, v2-v1-v3+v4
	return v2 + float64(d*(p2+float64(d*(p3+float64(d*p4)))))
}

// Rotate rotates m about its centre by degrees, counter-clockwise. Corners that come from outside m get the colour fill.
func Rotate(m *RGB, degrees float64, fill [3]uint8) *RGB {
	angle := -math.Mod(math.Mod(degrees, 360)+360, 360) * math.Pi / 180
	if angle == 0 {
		return m
	}
	round := func(v float64) float64 { return math.RoundToEven(v*1e15) / 1e15 }
	a := [6]float64{round(math.Cos(angle)), round(math.Sin(angle)), 0, round(-math.Sin(angle)), round(math.Cos(angle)), 0}
	cx, cy := float64(m.W)/2, float64(m.H)/2
	a[2] = float64(a[0]*-cx) + float64(a[1]*-cy) + cx
	a[5] = float64(a[3]*-cx) + float64(a[4]*-cy) + cy
	return Affine(m, a, fill)
}
