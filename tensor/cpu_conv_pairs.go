package tensor

import "github.com/gobeit/gobeit/tensor/internal/kernel"

// pairedWindows is the matrix of windows in pairs of bfloat16, for some rows of places: a row for each tap and pair of planes.
//
// Its words are what these places see, [lines, n/2, width], each element rounded once and not for each tap. What lies outside the planes is there too,
// as zeros. The pairs of a line are neighbours, since a panel has places of one line or a few, and all pairs.
type pairedWindows struct {
	*windows
	words []float32
	first [2]int // where the first tap of the first place is
	frame
}

// frame is what some rows of places see: so many lines of such a width.
type frame struct{ lines, width int }

// reach is how far the last tap is from the first one.
func (m *windows) reach() [2]int {
	return [2]int{(m.taps/m.kw - 1) * m.step[0], (m.kw - 1) * m.step[1]}
}

// frame returns that of count rows of places.
func (m *windows) frame(count int) frame {
	reach := m.reach()
	return frame{
		(count-1)*m.stride[0] + max(reach[0], -reach[0]) + 1,
		(m.pw-1)*m.stride[1] + max(reach[1], -reach[1]) + 1,
	}
}

// paired reports whether planes are rounded to bfloat16 first, two in one.
func (m *windows) paired(p kernel.Precision) bool {
	return p == kernel.Medium && m.set.Supports(p) && m.n%2 == 0
}

// convBand bounds the rounded lines of an image that exist at a time, in words, unless those for one row of places are more.
const convBand = 4 << 20

// band is how many rows of places are made at a time, and the words of what they see.
func (m *windows) band() (rows, words int) {
	one := m.frame(1)
	line := max(1, m.n/2*one.width)
	rows = min(m.ph, max(1, (convBand/line-one.lines)/m.stride[0]+1))
	return rows, line * m.frame(rows).lines
}

// multiplyPairs is multiply in bfloat16, a band of the image after the other.
func (m *windows) multiplyPairs(like *Tensor, g kernel.GemmArgs) {
	rows, words := m.band()
	t, room := scratch(like, words)
	defer t.Release()
	c := g.C
	for r := 0; r < m.ph; r += rows {
		n := min(rows, m.ph-r)
		g.N, g.C, g.BPairs = n*m.pw, c[r*m.pw:], m.pairs(room, r, n, g.Serial).fill
		m.set.MatMul(g)
	}
}

// pairs returns count rows of places, from row r on, with room for the words.
func (m *windows) pairs(room []float32, r, count int, serial bool) *pairedWindows {
	reach := m.reach()
	before := [2]int{min(0, reach[0]), min(0, reach[1])}
	band := &pairedWindows{m, room, [2]int{-before[0], -before[1]}, m.frame(count)}
	y, x := m.origin[0]+r*m.stride[0]+before[0], m.origin[1]+before[1]
	work := func(lo, hi int) {
		for pair := lo; pair < hi; pair++ {
			for line := range band.lines {
				band.round(pair, line, y+line, x)
			}
		}
	}
	if serial {
		work(0, m.n/2)
	} else {
		split(m.n/2, 2*band.lines*band.width, work)
	}
	return band
}

// round writes what begins at (y, x) in two planes as a line of pairs.
func (m *pairedWindows) round(pair, line, y, x int) {
	to := m.at(pair, line)[:m.width]
	lo, hi := max(0, -x), min(m.width, m.w-x)
	if y < 0 || y >= m.h || lo >= hi {
		clear(to)
		return
	}
	clear(to[:lo])
	m.set.PackPairs(to[lo:hi], m.planes[(2*pair*m.h+y)*m.w+x+lo:], m.h*m.w, hi-lo)
	clear(to[hi:])
}

// at is where a line of pairs begins.
func (m *pairedWindows) at(pair, line int) []float32 {
	return m.words[(line*m.n/2+pair)*m.width:]
}

// fill writes a part of the matrix; see kernel.GemmArgs.
func (m *pairedWindows) fill(dst []float32, ld, row, col, rows, cols int) {
	for r := 0; r < rows; {
		tap, pair := (row+r)/(m.n/2), (row+r)%(m.n/2)
		n := min(rows-r, m.n/2-pair)
		y, x := m.first[0]+tap/m.kw*m.step[0], m.first[1]+tap%m.kw*m.step[1]
		for c := 0; c < cols; {
			line, q := (col+c)/m.pw, (col+c)%m.pw
			places := min(cols-c, m.pw-q)
			from, to := m.at(pair, line*m.stride[0]+y)[x+q*m.stride[1]:], dst[r*ld+c:]
			if m.stride[1] == 1 {
				m.set.CopyRows(to, ld, from, m.width, places, n)
			} else {
				for k := range n {
					sample(to[k*ld:][:places], from[k*m.width:][:(places-1)*m.stride[1]+1], 0, m.stride[1])
				}
			}
			c += places
		}
		r += n
	}
}
