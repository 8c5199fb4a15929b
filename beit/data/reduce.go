package data

// Reduce makes images smaller while they are decoded: by 8, 4 or 2, while the shorter side keeps at least short pixels. It saves most of the time and
// memory that large photographs take. JPEG files are decoded at the smaller size as Pillow's draft does. Of other files, blocks of pixels are averaged
// as Pillow's reduce does.
func Reduce(short int) Option { return func(s *settings) { s.short = short } }

// reduction returns by how much an image of w x h becomes smaller, by the rule of Pillow's draft: 1, 2, 4 or 8. short 0 means never.
func reduction(w, h, short int) int {
	for n := 8; n > 1 && short > 0; n /= 2 {
		if min(w, h)/short >= n {
			return n
		}
	}
	return 1
}

// reduced averages blocks of n x n pixels. Those at the right and lower edge may be smaller.
func reduced(m *RGB, n int) *RGB {
	out := NewRGB((m.W+n-1)/n, (m.H+n-1)/n)
	sums := make([]uint32, 3*out.W)
	for y := range out.H {
		clear(sums)
		last := min((y+1)*n, m.H)
		for sy := y * n; sy < last; sy++ {
			addRow(sums, m.row(sy, 0, m.W), n)
		}
		for x := range out.W {
			width := min((x+1)*n, m.W) - x*n
			average(out.row(y, x, x+1), sums[3*x:3*x+3], uint32(width*(last-y*n)))
		}
	}
	return out
}

// addRow adds the pixels of a row to the sums of blocks of n columns.
func addRow(sums []uint32, row []uint8, n int) {
	for x := 0; len(row) > 0; x++ {
		block := row[:min(3*n, len(row))]
		row = row[len(block):]
		s := sums[3*x : 3*x+3]
		for ; len(block) >= 3; block = block[3:] {
			s[0] += uint32(block[0])
			s[1] += uint32(block[1])
			s[2] += uint32(block[2])
		}
	}
}

// average divides sums of count pixels, rounded as Pillow does: by a factor of 24 bits, which is exact for powers of two.
func average(dst []uint8, sums []uint32, count uint32) {
	factor := uint32(1 << 24 / count)
	for c := range dst {
		dst[c] = uint8((sums[c] + count/2) * factor >> 24)
	}
}
