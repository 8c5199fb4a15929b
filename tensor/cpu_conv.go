package tensor

import "github.com/gobeit/gobeit/tensor/internal/kernel"

// conv holds the sizes of a convolution of x [B, C, H, W] with w [O, C/Groups, kh, kw] to y [B, O, oh, ow].
type conv struct {
	ConvOptions
	b, h, w, oh, ow int
	kh, kw          int
	in, out         int // channels of a group of x and of y
}

func newConv(x, w, y Shape, o ConvOptions) conv {
	return conv{
		ConvOptions: o, b: x[0], h: x[2], w: x[3], oh: y[2], ow: y[3], kh: w[2], kw: w[3], in: w[1], out: w[0] / o.Groups,
	}
}

func (v conv) taps() int   { return v.kh * v.kw }
func (v conv) depth() int  { return v.in * v.taps() } // of a kernel
func (v conv) pixels() int { return v.h * v.w }       // of x
func (v conv) places() int { return v.oh * v.ow }     // of a kernel

// windows is the matrix of what the kernel sees in planes: a row for each tap and plane, a column for each place of the kernel. Rows are shifted
// planes, so the matrix is made in parts where it is needed, and never as a whole.
type windows struct {
	set          *kernel.Set
	planes       []float32 // n planes [h, w]
	n, h, w      int
	ph, pw       int // places
	taps, kw     int
	stride       [2]int // from one place to the next
	origin, step [2]int // where the first tap of the first place is, and from one tap to the next
}

// windows returns the matrix of planes of x.
func (v conv) windows(set *kernel.Set, planes []float32) *windows {
	return &windows{
		set: set, planes: planes, n: v.in, h: v.h, w: v.w, ph: v.oh, pw: v.ow, taps: v.taps(), kw: v.kw,
		stride: v.Stride, origin: [2]int{-v.Padding[0], -v.Padding[1]}, step: v.Dilation,
	}
}

// backward returns the matrix of planes of dy, for strides of 1: with it the gradient of x is a convolution too. A tap lies as far on one side of
// the place as it did on the other.
func (v conv) backward(set *kernel.Set, planes []float32) *windows {
	return &windows{
		set: set, planes: planes, n: v.out, h: v.oh, w: v.ow, ph: v.h, pw: v.w, taps: v.taps(), kw: v.kw,
		stride: [2]int{1, 1}, origin: v.Padding, step: [2]int{-v.Dilation[0], -v.Dilation[1]},
	}
}

// plain reports whether the planes are the matrix.
func (m *windows) plain() bool {
	return m.taps == 1 && m.stride == [2]int{1, 1} && m.origin == [2]int{}
}

// fill writes a part of the matrix; see kernel.GemmArgs.
func (m *windows) fill(dst []float32, ld, row, col, rows, cols int) {
	for r := 0; r < rows; {
		tap, plane := (row+r)/m.n, (row+r)%m.n
		n := min(rows-r, m.n-plane)
		y, x := m.origin[0]+tap/m.kw*m.step[0], m.origin[1]+tap%m.kw*m.step[1]
		if part := dst[r*ld:]; ld != cols || !m.copyRows(part, plane, n, y, x, col, cols) {
			for k := range n {
				m.row(part[k*ld:][:cols], m.planes[(plane+k)*m.h*m.w:][:m.h*m.w], y, x, col)
			}
		}
		r += n
	}
}

// copyRows is row for count planes at once, where that is a copy of neighbours, apart from what lies outside: it reports whether it is.
func (m *windows) copyRows(dst []float32, plane, count, y, x, place, cols int) bool {
	q := place % m.pw
	y += place / m.pw * m.stride[0]
	if m.stride[1] != 1 || q+cols > m.pw && (m.pw != m.w || m.stride[0] != 1) {
		return false
	}
	size := m.h * m.w
	from := plane*size + y*m.w + x + q
	end := from + (count-1)*size + cols
	if from < 0 || end > len(m.planes) {
		return false
	}
	m.set.CopyRows(dst, cols, m.planes[from:end], size, count)
	for c := range cols { // zeros for what is outside
		if y < 0 || y >= m.h || x+q < 0 || x+q >= m.w {
			for k := range count {
				dst[k*cols+c] = 0
			}
		}
		if q++; q == m.pw {
			q = 0
			y++
		}
	}
	return true
}

// row writes what a tap sees in a plane from place number place on. At place 0 it is at (y, x).
func (m *windows) row(dst, plane []float32, y, x, place int) {
	y += place / m.pw * m.stride[0]
	for q := place % m.pw; len(dst) > 0; q = 0 {
		n := min(len(dst), m.pw-q)
		if y < 0 || y >= m.h {
			clear(dst[:n])
		} else {
			sample(dst[:n], plane[y*m.w:][:m.w], x+q*m.stride[1], m.stride[1])
		}
		dst = dst[n:]
		y += m.stride[0]
	}
}

// sample sets dst[i] = line[at+i·step], or 0 outside the line.
func sample(dst, line []float32, at, step int) {
	lo := min(len(dst), max(0, ceilDiv(-at, step)))
	hi := max(lo, min(len(dst), ceilDiv(len(line)-at, step)))
	clear(dst[:lo])
	clear(dst[hi:])
	if step == 1 {
		if lo < hi {
			copy(dst[lo:hi], line[at+lo:])
		}
		return
	}
	for i := lo; i < hi; i++ {
		dst[i] = line[at+i*step]
	}
}

// multiply computes g.C = g.A·m, or adds it, with the Epilogue of g.
func (m *windows) multiply(like *Tensor, g kernel.GemmArgs) {
	g.N, g.K = m.ph*m.pw, m.taps*m.n
	g.ARow, g.ACol, g.CRow = g.K, 1, g.N
	switch {
	case m.plain():
		g.B, g.BRow, g.BCol = m.planes, m.h*m.w, 1
		m.set.MatMul(g)
	case m.paired(g.Precision):
		m.multiplyPairs(like, g)
	default:
		g.BFrom = m.fill
		m.set.MatMul(g)
	}
}

// paired reports whether planes are rounded to bfloat16 first, two in one. Then that is done once, and not for each tap.
func (m *windows) paired(p kernel.Precision) bool {
	return p == kernel.Medium && m.set.Supports(p) && m.n%2 == 0
}

// convBand bounds the rounded rows of an image that exist at a time, in words, unless those for one row of places are more.
const convBand = 4 << 20

// band is how many rows of places are made at a time, and the words of what they see.
func (m *windows) band() (rows, words int) {
	span := (m.taps/m.kw-1)*max(m.step[0], -m.step[0]) + 1
	line := max(1, m.n/2*m.w)
	rows = min(m.ph, max(1, (convBand/line-span)/m.stride[0]+1))
	return rows, line * min(m.h, (rows-1)*m.stride[0]+span)
}

// multiplyPairs is multiply in bfloat16, a band of the image after the other.
func (m *windows) multiplyPairs(like *Tensor, g kernel.GemmArgs) {
	rows, words := m.band()
	t, room := scratch(like, words)
	defer t.Release()
	c := g.C
	for r := 0; r < m.ph; r += rows {
		band := m.pairs(room, r, min(rows, m.ph-r), g.Serial)
		g.N, g.C, g.BPairs = band.ph*band.pw, c[r*m.pw:], band.fill
		m.set.MatMul(g)
	}
}

// pairs returns count rows of places, from row r on, of the matrix in pairs of bfloat16. It rounds what they see to room.
func (m *windows) pairs(room []float32, r, count int, serial bool) *windows {
	reach := (m.taps/m.kw - 1) * m.step[0]
	first := m.origin[0] + r*m.stride[0]
	lo := min(m.h, max(0, first+min(0, reach)))
	hi := max(lo, min(m.h, first+(count-1)*m.stride[0]+max(0, reach)+1))
	size := (hi - lo) * m.w
	band := *m
	band.planes, band.n, band.h, band.ph = room[:m.n/2*size], m.n/2, hi-lo, count
	band.origin[0] = first - lo
	work := func(lo2, hi2 int) {
		m.set.PackPairs(band.planes[lo2*size:], m.planes[2*lo2*m.h*m.w+lo*m.w:], m.h*m.w, size, hi2-lo2)
	}
	if serial {
		work(0, band.n)
	} else {
		split(band.n, 2*size, work)
	}
	return &band
}

// each calls f for each group of each image; macs is how many multiplications that takes. Small matmuls are made side by side, serial ones.
func (v conv) each(macs int, f func(image, group int, serial bool)) {
	n, serial := v.b*v.Groups, macs < smallGemm
	work := func(lo, hi int) {
		for i := lo; i < hi; i++ {
			f(i/v.Groups, i%v.Groups, serial)
		}
	}
	if serial {
		split(n, 8*max(v.in, v.out)*max(v.pixels(), v.places()), work)
	} else {
		work(0, n)
	}
}

// part is the share of an image and a group in a tensor of b images.
func (v conv) part(t []float32, image, group int) []float32 {
	size := len(t) / (v.b * v.Groups)
	return t[(image*v.Groups+group)*size:][:size]
}

// Conv2D is a matmul of the kernels by what they see, for each image and group.
func (c *cpuBackend) Conv2D(a Conv2DArgs) {
	v := newConv(a.X.shape, a.W.shape, a.Y.shape, a.ConvOptions)
	x, y := f32(a.X), f32(a.Y)
	w := f32(a.W)
	if v.taps() > 1 {
		t, room := scratch(a.W, a.W.Size())
		defer t.Release()
		c.tapsFirst(room, w, v)
		w = room
	}
	v.each(v.out*v.depth()*v.places(), func(image, group int, serial bool) {
		g := kernel.GemmArgs{
			M: v.out, A: w[group*v.out*v.depth():], C: v.part(y, image, group), Accumulate: a.Add, Precision: kernel.Precision(a.Precision), Serial: serial,
		}
		if a.Bias != nil {
			bias := f32(a.Bias)[group*v.out:]
			g.Epilogue = func(i, _ int, row []float32) { c.vec.Affine(row, row, 1, bias[i]) }
		}
		v.windows(c.set, v.part(x, image, group)).multiply(a.Y, g)
	})
}

// tapsFirst copies kernels w [O, C/Groups, taps] to dst [O, taps, C/Groups], the order of the rows of windows.
func (c *cpuBackend) tapsFirst(dst, w []float32, v conv) {
	depth := v.depth()
	split(v.Groups*v.out, depth, func(lo, hi int) {
		for o := lo; o < hi; o++ {
			c.set.Transpose(dst[o*depth:], v.in, w[o*depth:], v.taps(), v.in, v.taps())
		}
	})
}

// outputsLast copies kernels w [Groups, O/Groups, C/Groups·taps] to dst [Groups, C/Groups·taps, O/Groups].
func (c *cpuBackend) outputsLast(dst, w []float32, v conv) {
	const width = 64 // columns of w at a time: what is written stays in cache
	depth, parts := v.depth(), ceilDiv(v.depth(), width)
	split(v.Groups*parts, width*v.out, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			group, col := i/parts*v.out*depth, i%parts*width
			c.set.Transpose(dst[group+col*v.out:], v.out, w[group+col:], depth, v.out, min(width, depth-col))
		}
	})
}

// kernelsStored is how many kernels storeKernels writes at a time.
const kernelsStored = 16

// storeKernels writes the gradient of kernels, x [Groups, taps, C/Groups, O/Groups], where g says.
func (c *cpuBackend) storeKernels(g Grad, x []float32, v conv) {
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
			c.set.Transpose(rows, depth, x[group*v.out*depth+first:], v.out, depth, n) // [n, taps, C/Groups]
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

// Conv2DGrad computes one gradient after the other.
func (c *cpuBackend) Conv2DGrad(a Conv2DGradArgs) {
	if a.DW.To != nil {
		c.convWeightGrad(a, newConv(a.X.shape, a.DW.To.shape, a.DY.shape, a.ConvOptions))
	}
	switch {
	case a.DX.To == nil || a.DX.To.Size() == 0:
	case a.Stride == [2]int{1, 1}:
		c.convInputGrad(a, newConv(a.DX.To.shape, a.W.shape, a.DY.shape, a.ConvOptions))
	default:
		c.convSpread(a, newConv(a.DX.To.shape, a.W.shape, a.DY.shape, a.ConvOptions))
	}
}

// convWeightGrad makes the transposed gradient, because then it is dy, the smaller factor, whose matrix is transposed. Images are added in order.
func (c *cpuBackend) convWeightGrad(a Conv2DGradArgs, v conv) {
	t, sums := scratch(a.DY, v.Groups*v.depth()*v.out)
	defer t.Release()
	if v.b == 0 {
		clear(sums)
	}
	x, dy := f32(a.X), f32(a.DY)
	one := v
	one.b = 1
	one.each(v.b*v.out*v.depth()*v.places(), func(_, group int, serial bool) {
		for image := range v.b {
			g := kernel.GemmArgs{
				M: v.depth(), N: v.out, K: v.places(),
				B: v.part(dy, image, group), BRow: 1, BCol: v.places(),
				C: sums[group*v.depth()*v.out:], CRow: v.out, Accumulate: image > 0,
				Precision: kernel.Precision(a.Precision), Serial: serial,
			}
			if m := v.windows(c.set, v.part(x, image, group)); m.plain() {
				g.A, g.ARow, g.ACol = m.planes, m.h*m.w, 1
			} else {
				g.AFrom = m.fill
			}
			c.set.MatMul(g)
		}
	})
	c.storeKernels(a.DW, sums, v)
}

// convInputGrad is the gradient of x for strides of 1: a convolution of dy with kernels whose input and output channels are exchanged.
func (c *cpuBackend) convInputGrad(a Conv2DGradArgs, v conv) {
	t, w := scratch(a.W, a.W.Size())
	defer t.Release()
	c.outputsLast(w, f32(a.W), v)
	dy, dx := f32(a.DY), f32(a.DX.To)
	depth := v.out * v.taps()
	v.each(v.in*depth*v.pixels(), func(image, group int, serial bool) {
		v.backward(c.set, v.part(dy, image, group)).multiply(a.DY, kernel.GemmArgs{
			M: v.in, A: w[group*v.in*depth:], C: v.part(dx, image, group), Accumulate: a.DX.Add, Precision: kernel.Precision(a.Precision), Serial: serial,
		})
	})
}

// convTile bounds the part of the gradient of windows that convSpread holds, in elements.
const convTile = 1 << 20

// tile is how many channels and places that part has. At least one channel and one place fit.
func (v conv) tile() (channels, places int) {
	const few = 256
	channels = min(v.in, max(1, convTile/v.taps()/min(v.places(), few)))
	return channels, min(v.places(), max(1, convTile/(channels*v.taps())))
}

// convSpread is the gradient of x for any strides: a matmul gives the gradient of windows, a tile at a time, and its elements are added where they
// were read.
func (c *cpuBackend) convSpread(a Conv2DGradArgs, v conv) {
	dy, w, dx := f32(a.DY), f32(a.W), f32(a.DX.To)
	if !a.DX.Add {
		c.Fill(a.DX.To, 0)
	}
	channels, places := v.tile()
	v.each(v.out*v.depth()*v.places(), func(image, group int, serial bool) {
		t, tile := scratch(a.DY, channels*v.taps()*places)
		defer t.Release()
		for first := 0; first < v.in; first += channels {
			rows := min(channels, v.in-first)
			to := v.windows(c.set, v.part(dx, image, group)[first*v.pixels():])
			for place := 0; place < v.places(); place += places {
				n := min(places, v.places()-place)
				c.set.MatMul(kernel.GemmArgs{
					M: rows * v.taps(), N: n, K: v.out,
					A: w[group*v.out*v.depth()+first*v.taps():], ARow: 1, ACol: v.depth(),
					B: v.part(dy, image, group)[place:], BRow: v.places(), BCol: 1,
					C: tile, CRow: n, Precision: kernel.Precision(a.Precision), Serial: serial,
				})
				spread := func(ch int) { to.spread(c.vec, tile[ch*v.taps()*n:], ch, place, n) }
				if serial {
					for ch := range rows {
						spread(ch)
					}
				} else {
					each(rows, v.taps()*n, spread)
				}
			}
		}
	})
}

// spread adds the taps x n elements of src to where the taps of a plane see something, from place number place on.
func (m *windows) spread(vec *kernel.VecFuncs, src []float32, plane, place, n int) {
	for tap := range m.taps {
		y, x := m.origin[0]+tap/m.kw*m.step[0], m.origin[1]+tap%m.kw*m.step[1]
		from, to := src[tap*n:][:n], m.planes[plane*m.h*m.w:][:m.h*m.w]
		y += place / m.pw * m.stride[0]
		for q := place % m.pw; len(from) > 0; q = 0 {
			k := min(len(from), m.pw-q)
			if y >= 0 && y < m.h {
				addSampled(vec, to[y*m.w:][:m.w], from[:k], x+q*m.stride[1], m.stride[1])
			}
			from = from[k:]
			y += m.stride[0]
		}
	}
}

// addSampled adds src[i] to line[at+i·step], where that is in the line.
func addSampled(vec *kernel.VecFuncs, line, src []float32, at, step int) {
	lo := min(len(src), max(0, ceilDiv(-at, step)))
	hi := max(lo, min(len(src), ceilDiv(len(line)-at, step)))
	if step == 1 {
		if lo < hi {
			to := line[at+lo:][:hi-lo]
			vec.Add(to, to, src[lo:hi])
		}
		return
	}
	for i := lo; i < hi; i++ {
		line[at+i*step] += src[i]
	}
}

// Conv2D counts kernels in another order, and rounded rows of an image.
func (p planner) Conv2D(a Conv2DArgs) {
	v := newConv(a.X.shape, a.W.shape, a.Y.shape, a.ConvOptions)
	p.windows(a.Y, v.windows(planned(), nil), a.W, false, a.Precision)
}

// Conv2DGrad counts what the CPU takes for one gradient, then for the other.
func (p planner) Conv2DGrad(a Conv2DGradArgs) {
	if a.DW.To != nil {
		w := a.DW.To.shape
		sums := newTensor(a.DY.st.dev, "scratch", Float32, w.Size())
		p.room(a.DY, (kernelsStored+1)*w[1:].Size())
		sums.Release()
	}
	if a.DX.To == nil || a.DX.To.Size() == 0 {
		return
	}
	v := newConv(a.DX.To.shape, a.W.shape, a.DY.shape, a.ConvOptions)
	if a.Stride == [2]int{1, 1} {
		p.windows(a.DY, v.backward(planned(), nil), a.W, true, a.Precision)
		return
	}
	channels, places := v.tile()
	p.room(a.DY, channels*v.taps()*places)
}

// planned is the set of kernels of the CPU for which the planner counts.
func planned() *kernel.Set { return CPU().backend.(*cpuBackend).set }

// windows counts what a matmul of kernels w by windows takes.
func (p planner) windows(like *Tensor, m *windows, w *Tensor, backward bool, precision Precision) {
	if m.taps > 1 || backward {
		kernels := newTensor(like.st.dev, "scratch", Float32, w.Size())
		defer kernels.Release()
	}
	if !m.plain() && m.paired(kernel.Precision(precision)) {
		_, words := m.band()
		p.room(like, words)
	}
}
