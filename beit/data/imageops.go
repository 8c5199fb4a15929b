package data

import "math"

// The operations in this file have the arithmetic of Pillow's ImageOps and ImageEnhance, except Blur.

// perChannel applies a table to each channel; a nil table leaves its channel as it is.
func perChannel(m *RGB, tables [3]*[256]uint8) *RGB {
	out := NewRGB(m.W, m.H)
	copy(out.Pix, m.Pix)
	for c, table := range tables {
		if table == nil {
			continue
		}
		for i := c; i < len(out.Pix); i += 3 {
			out.Pix[i] = table[out.Pix[i]]
		}
	}
	return out
}

// histogram counts the values of channel c.
func histogram(m *RGB, c int) (h [256]int) {
	for i := c; i < len(m.Pix); i += 3 {
		h[m.Pix[i]]++
	}
	return h
}

// AutoContrast stretches each channel so that its darkest value becomes 0 and its brightest 255. A channel with one value stays as it is.
func AutoContrast(m *RGB) *RGB {
	var tables [3]*[256]uint8
	for c := range tables {
		h := histogram(m, c)
		lo, hi := 0, 255
		for h[lo] == 0 {
			lo++
		}
		for h[hi] == 0 {
			hi--
		}
		if hi <= lo {
			continue
		}
		scale := 255 / float64(hi-lo)
		offset := float64(-lo) * scale
		tables[c] = new([256]uint8)
		for v := range tables[c] {
			tables[c][v] = clip8(int32(float64(float64(v)*scale) + offset))
		}
	}
	return perChannel(m, tables)
}

// Equalize equalises the histogram of each channel. A channel with one value stays as it is.
func Equalize(m *RGB) *RGB {
	var tables [3]*[256]uint8
	for c := range tables {
		h := histogram(m, c)
		last := 255
		for h[last] == 0 {
			last--
		}
		step := (m.W*m.H - h[last]) / 255
		if step == 0 { // one value, or too few pixels
			continue
		}
		tables[c] = new([256]uint8)
		n := step / 2
		for v := range tables[c] {
			tables[c][v] = clip8(int32(n / step))
			n += h[v]
		}
	}
	return perChannel(m, tables)
}

// byValue maps every value.
func byValue(m *RGB, f func(v int) int) *RGB {
	var table [256]uint8
	for v := range table {
		table[v] = uint8(f(v))
	}
	return mapped(m, &table)
}

// Invert inverts each value: v becomes 255 - v.
func Invert(m *RGB) *RGB { return byValue(m, func(v int) int { return 255 - v }) }

// Posterize keeps the given number of high bits of each value, from 0 to 8.
func Posterize(m *RGB, bits int) *RGB {
	return byValue(m, func(v int) int { return v &^ (1<<(8-bits) - 1) })
}

// Solarize inverts values of at least threshold.
func Solarize(m *RGB, threshold int) *RGB {
	return byValue(m, func(v int) int {
		if v < threshold {
			return v
		}
		return 255 - v
	})
}

// SolarizeAdd adds add to values below 128. Sums stop at 255.
func SolarizeAdd(m *RGB, add int) *RGB {
	return byValue(m, func(v int) int {
		if v < 128 {
			return min(v+add, 255)
		}
		return v
	})
}

// AdjustSharpness changes the sharpness: it blends m with a smoothed copy, where a pixel has weight 5 and each of its eight neighbours 1. The border
// stays as it is. A factor of 1 changes nothing.
func AdjustSharpness(m *RGB, factor float32) *RGB {
	out := NewRGB(m.W, m.H)
	copy(out.Pix, m.Pix)
	for y := 1; y < m.H-1; y++ {
		above, row, below := m.row(y-1, 0, m.W), m.row(y, 0, m.W), m.row(y+1, 0, m.W)
		for i := 3; i < 3*(m.W-1); i++ {
			sum := 4 * int(row[i])
			for _, line := range [][]uint8{above, row, below} {
				sum += int(line[i-3]) + int(line[i]) + int(line[i+3])
			}
			out.Pix[3*y*m.W+i] = uint8((2*sum + 13) / 26) // sum/13, rounded
		}
	}
	for i, smooth := range out.Pix {
		out.Pix[i] = blend(smooth, m.Pix[i], factor)
	}
	return out
}

// Blur convolves m with a Gaussian of the given standard deviation in pixels, cut at three deviations. The border is repeated. A deviation of 0 or
// less leaves m as it is.
func Blur(m *RGB, deviation float64) *RGB {
	reach := int(math.Ceil(3 * deviation))
	if reach < 1 {
		return m
	}
	weights := make([]float32, 2*reach+1)
	sum := 0.0
	for i := range weights {
		d := float64(i-reach) / deviation
		sum += math.Exp(-d * d / 2)
	}
	for i := range weights {
		d := float64(i-reach) / deviation
		weights[i] = float32(math.Exp(-d*d/2) / sum)
	}
	across := make([]float32, 3*m.W*m.H)
	for y := range m.H {
		row, to := m.row(y, 0, m.W), across[3*m.W*y:3*m.W*(y+1)]
		for x := range m.W {
			for k, w := range weights {
				p := row[3*min(max(x+k-reach, 0), m.W-1):]
				for c := range 3 {
					to[3*x+c] += w * float32(p[c])
				}
			}
		}
	}
	out := NewRGB(m.W, m.H)
	line := make([]float32, 3*m.W)
	for y := range m.H {
		clear(line)
		for k, w := range weights {
			from := across[3*m.W*min(max(y+k-reach, 0), m.H-1):][:3*m.W]
			for i, v := range from {
				line[i] += w * v
			}
		}
		for i, v := range line {
			out.Pix[3*m.W*y+i] = uint8(min(max(v+0.5, 0), 255))
		}
	}
	return out
}
