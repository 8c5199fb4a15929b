package tensor

import (
	"sync"

	"github.com/gobeit/gobeit/tensor/internal/kernel"
)

// convWeightGrad adds images in order. Where windows are turned first, the gradient is dy by them; elsewhere it is made transposed, because then it
// is dy, the smaller factor, whose matrix is transposed.
func (c *cpuBackend) convWeightGrad(a Conv2DGradArgs, v conv) {
	t, sums := scratch(a.DY, v.Groups*v.depth()*v.out)
	defer t.Release()
	if v.b == 0 {
		clear(sums)
	}
	x, dy := f32(a.X), f32(a.DY)
	turns := v.windows(c.set, nil).turns(kernel.Precision(a.Precision))
	one := v
	one.b = 1
	one.each(v.b*v.out*v.depth()*v.places(), func(_, group int, serial bool) {
		for image := range v.b {
			m, part := v.windows(c.set, v.part(x, image, group)), v.part(dy, image, group)
			g := kernel.GemmArgs{
				C: sums[group*v.depth()*v.out:], Accumulate: image > 0, Precision: kernel.Precision(a.Precision), Serial: serial,
			}
			if turns {
				m.multiplyTurned(a.DY, g, part, v.out)
				continue
			}
			g.M, g.N, g.K = v.depth(), v.out, v.places()
			g.B, g.BRow, g.BCol, g.CRow = part, 1, v.places(), v.out
			if m.plain() {
				g.A, g.ARow, g.ACol = m.planes, m.h*m.w, 1
			} else {
				g.AFrom = m.fill
			}
			c.set.MatMul(g)
		}
	})
	c.storeKernels(a.DW, sums, v, turns)
}

// kernelsStored is how many kernels storeKernels writes at a time.
const kernelsStored = 16

// storeKernels writes the gradient of kernels, x [Groups, taps, C/Groups, O/Groups] or, with outputsFirst, [Groups, O/Groups, taps, C/Groups], where g
// says.
func (c *cpuBackend) storeKernels(g Grad, x []float32, v conv, outputsFirst bool) {
	const most = kernelsStored
	depth, parts := v.depth(), ceilDiv(v.out, most)
	to := f32(g.To)
	split(v.Groups*parts, 2*most*depth, func(lo, hi int) {
		t, room := scratch(g.To, (most+1)*depth)
		defer t.Release()
		rows, one := room[:most*depth], room[most*depth:]
		for i := lo; i < hi; i++ {
			group, first := i/parts, i%parts*most
			n := min(most, v.out-first)
			if outputsFirst {
				rows = x[(group*v.out+first)*depth:]
			} else {
				c.set.Transpose(rows, depth, x[group*v.out*depth+first:], v.out, depth, n) // [n, taps, C/Groups]
			}
			for o := range n {
				dst := to[(group*v.out+first+o)*depth:][:depth]
				if g.Add {
					c.set.Transpose(one, v.taps(), rows[o*depth:], v.in, v.taps(), v.in)
					c.vec.Add(dst, dst, one)
				} else {
					c.set.Transpose(dst, v.taps(), rows[o*depth:], v.in, v.taps(), v.in)
				}
			}
		}
	})
}

// turned is the transposed matrix of windows, for some rows of places: a row for each pair of neighbouring places, a column for each tap and plane.
// Only places of one line are neighbours; where their number is odd, the last has a zero beside it.
//
// Panels of the matrix are copies of words, [taps of a line, n/PairColumns, lines of x, pairs, PairColumns]: each plane is rounded and turned for each
// tap of a line, and not for all taps.
type turned struct {
	*windows
	words        []float32
	lines, pairs int
}

// turns reports whether windows are turned for products at a precision: then whole panels belong to one tap.
func (m *windows) turns(p kernel.Precision) bool {
	return m.paired(p) && m.n%kernel.PairColumns == 0 && !m.plain()
}

// turnedPlaces bounds the places of turned windows. So many of them go well with what a matmul packs at once.
const turnedPlaces = 1 << 12

// turnedBand is how many rows of places are turned at a time, and the words that it takes.
func (m *windows) turnedBand() (rows, words int) {
	line := max(1, m.kw*m.n*ceilDiv(m.pw, 2))
	span := (m.taps/m.kw-1)*m.step[0] + 1
	rows = min(m.ph, max(1, min(turnedPlaces/max(1, m.pw), (convBand/line-span)/m.stride[0]+1)))
	return rows, line * ((rows-1)*m.stride[0] + span)
}

// multiplyTurned computes g.C = dy·m, or adds it: dy [kernels, places], the matrix turned.
func (m *windows) multiplyTurned(like *Tensor, g kernel.GemmArgs, dy []float32, kernels int) {
	rows, words := m.turnedBand()
	t, room := scratch(like, words)
	defer t.Release()
	g.M, g.N, g.CRow = kernels, m.taps*m.n, m.taps*m.n
	for r := 0; r < m.ph; r += rows {
		n := min(rows, m.ph-r)
		band := m.turn(room, r, n, g.Serial)
		g.K, g.BPairs = n*2*band.pairs, band.fill
		if from := dy[r*m.pw:]; m.pw%2 == 0 {
			g.A, g.ARow, g.ACol = from, m.ph*m.pw, 1
		} else {
			g.AFrom = band.evenLines(from)
		}
		m.set.MatMul(g)
		g.Accumulate = true
	}
}

// evenLines makes rows of dy whose lines end in a zero; see kernel.GemmArgs.
func (m *turned) evenLines(dy []float32) func(dst []float32, ld, row, col, rows, cols int) {
	return func(dst []float32, ld, row, col, rows, cols int) {
		for r := range rows {
			from, to := dy[(row+r)*m.ph*m.pw:], dst[r*ld:][:cols]
			for y, q := col/(2*m.pairs), col%(2*m.pairs); len(to) > 0; y, q = y+1, 0 {
				n := copy(to[:min(len(to), m.pw-q)], from[y*m.pw+q:])
				if n < len(to) {
					to[n] = 0
					n++
				}
				to = to[n:]
			}
		}
	}
}

// turnedLines are lines of x, as many as a panel has columns.
type turnedLines struct{ pixels []float32 }

var turnedRooms = sync.Pool{New: func() any { return new(turnedLines) }}

// turn returns what count rows of places see, from row r on, with room for its words.
func (m *windows) turn(room []float32, r, count int, serial bool) *turned {
	const wide = kernel.PairColumns
	band := &turned{m, room, (count-1)*m.stride[0] + (m.taps/m.kw-1)*m.step[0] + 1, ceilDiv(m.pw, 2)}
	first := m.origin[0] + r*m.stride[0]
	work := func(lo, hi int) {
		lines := turnedRooms.Get().(*turnedLines)
		defer turnedRooms.Put(lines)
		for i := lo; i < hi; i++ {
			band.turnLine(lines, i/band.lines*wide, i%band.lines, first+i%band.lines)
		}
	}
	if tasks := m.n / wide * band.lines; serial {
		work(0, tasks)
	} else {
		split(tasks, 2*m.kw*m.pw*wide, work)
	}
	return band
}

// turnLine turns line y of the planes of a panel, the first of which is plane.
func (m *turned) turnLine(lines *turnedLines, plane, line, y int) {
	const wide = kernel.PairColumns
	if y < 0 || y >= m.h {
		for tap := range m.kw {
			clear(m.at(tap, plane, line)[:m.pairs*wide])
		}
		return
	}
	width := (m.pw-1)*m.stride[1] + (m.kw-1)*m.step[1] + 1
	ld := width + 16 // lines at distances of powers of two would share few sets of the cache
	if len(lines.pixels) < wide*ld {
		lines.pixels = make([]float32, wide*ld)
	}
	for k := range wide {
		sample(lines.pixels[k*ld:][:width], m.planes[((plane+k)*m.h+y)*m.w:][:m.w], m.origin[1], 1)
	}
	for tap := range m.kw {
		m.set.PackPairColumns(m.at(tap, plane, line), lines.pixels[tap*m.step[1]:], ld, m.stride[1], m.pw)
	}
}

// at is where the pairs begin that a tap, counted in its line, sees in a line of the planes of a panel.
func (m *turned) at(tap, plane, line int) []float32 {
	const wide = kernel.PairColumns
	return m.words[((tap*m.n+plane)*m.lines+line*wide)*m.pairs:]
}

// fill copies rows of a panel; see kernel.GemmArgs.
func (m *turned) fill(dst []float32, _, row, col, rows, _ int) {
	const wide = kernel.PairColumns
	tap, plane := col/m.n, col%m.n
	for y, p := row/m.pairs, row%m.pairs; rows > 0; y, p = y+1, 0 {
		n := min(rows, m.pairs-p)
		copy(dst[:n*wide], m.at(tap%m.kw, plane, y*m.stride[0]+tap/m.kw*m.step[0])[p*wide:])
		dst, rows = dst[n*wide:], rows-n
	}
}
