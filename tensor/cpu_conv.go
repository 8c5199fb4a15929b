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

// windows is the matrix of what the kernel sees in planes: a row for each plane and tap, a column for each place of the kernel. Rows are shifted
// rows of the image, so it is made in parts where it is needed, and never as a whole.
type windows struct {
	planes       []float32 // [.., h, w]
	h, w         int
	pw           int // places in a row
	taps, kw     int
	stride       [2]int // from one place to the next
	origin, step [2]int // where the first tap of the first place is, and from one tap to the next
}

// windows returns the matrix of planes of x.
func (v conv) windows(planes []float32) *windows {
	return &windows{
		planes: planes, h: v.h, w: v.w, pw: v.ow, taps: v.taps(), kw: v.kw,
		stride: v.Stride, origin: [2]int{-v.Padding[0], -v.Padding[1]}, step: v.Dilation,
	}
}

// backward returns the matrix of planes of dy, for strides of 1: with it the gradient of x is a convolution too. A tap lies as far on one side of
// the place as it did on the other.
func (v conv) backward(planes []float32) *windows {
	return &windows{
		planes: planes, h: v.oh, w: v.ow, pw: v.w, taps: v.taps(), kw: v.kw,
		stride: [2]int{1, 1}, origin: v.Padding, step: [2]int{-v.Dilation[0], -v.Dilation[1]},
	}
}

// plain reports whether the planes are the matrix.
func (m *windows) plain() bool {
	return m.taps == 1 && m.stride == [2]int{1, 1} && m.origin == [2]int{}
}

// fill writes a part of the matrix; see kernel.GemmArgs.
func (m *windows) fill(dst []float32, ld, row, col, rows, cols int) {
	for r := range rows {
		plane, tap := (row+r)/m.taps, (row+r)%m.taps
		y, x := m.origin[0]+tap/m.kw*m.step[0], m.origin[1]+tap%m.kw*m.step[1]
		m.row(dst[r*ld:][:cols], m.planes[plane*m.h*m.w:][:m.h*m.w], y, x, col)
	}
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

// asA and asB make the matrix a factor.
func (m *windows) asA(g *kernel.GemmArgs) {
	if m.plain() {
		g.A, g.ARow, g.ACol = m.planes, m.h*m.w, 1
	} else {
		g.AFrom = m.fill
	}
}

func (m *windows) asB(g *kernel.GemmArgs) {
	if m.plain() {
		g.B, g.BRow, g.BCol = m.planes, m.h*m.w, 1
	} else {
		g.BFrom = m.fill
	}
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
	x, w, y := f32(a.X), f32(a.W), f32(a.Y)
	v.each(v.out*v.depth()*v.places(), func(image, group int, serial bool) {
		g := kernel.GemmArgs{
			M: v.out, N: v.places(), K: v.depth(),
			A: w[group*v.out*v.depth():], ARow: v.depth(), ACol: 1,
			C: v.part(y, image, group), CRow: v.places(), Accumulate: a.Add,
			Precision: kernel.Precision(a.Precision), Serial: serial,
		}
		v.windows(v.part(x, image, group)).asB(&g)
		if a.Bias != nil {
			bias := f32(a.Bias)[group*v.out:]
			g.Epilogue = func(i, _ int, row []float32) { c.vec.Affine(row, row, 1, bias[i]) }
		}
		c.set.MatMul(g)
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
	one := conv{ConvOptions: v.ConvOptions, b: 1, h: v.h, w: v.w, oh: v.oh, ow: v.ow, in: v.in, out: v.out}
	one.each(v.b*v.out*v.depth()*v.places(), func(_, group int, serial bool) {
		for image := range v.b {
			g := kernel.GemmArgs{
				M: v.depth(), N: v.out, K: v.places(),
				B: v.part(dy, image, group), BRow: 1, BCol: v.places(),
				C: sums[group*v.depth()*v.out:], CRow: v.out, Accumulate: image > 0,
				Precision: kernel.Precision(a.Precision), Serial: serial,
			}
			v.windows(v.part(x, image, group)).asA(&g)
			c.set.MatMul(g)
		}
	})
	dw, back := a.DW.To.Reshape(v.Groups, v.out, v.depth()), t.Reshape(v.Groups, v.depth(), v.out).T()
	if a.DW.Add {
		c.Binary(BinaryAdd, dw, dw, back)
	} else {
		c.Copy(dw, back)
	}
}

// convInputGrad is the gradient of x for strides of 1: a convolution of dy with kernels whose input and output channels are exchanged.
func (c *cpuBackend) convInputGrad(a Conv2DGradArgs, v conv) {
	t := newTensor(a.DY.st.dev, "scratch", Float32, v.Groups, v.in, v.out, v.taps())
	defer t.Release()
	c.Copy(t, a.W.Reshape(v.Groups, v.out, v.in, v.taps()).Permute(0, 2, 1, 3))
	dy, w, dx := f32(a.DY), f32(t), f32(a.DX.To)
	depth := v.out * v.taps()
	v.each(v.in*depth*v.pixels(), func(image, group int, serial bool) {
		g := kernel.GemmArgs{
			M: v.in, N: v.pixels(), K: depth,
			A: w[group*v.in*depth:], ARow: depth, ACol: 1,
			C: v.part(dx, image, group), CRow: v.pixels(), Accumulate: a.DX.Add,
			Precision: kernel.Precision(a.Precision), Serial: serial,
		}
		v.backward(v.part(dy, image, group)).asB(&g)
		c.set.MatMul(g)
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
			to := v.windows(v.part(dx, image, group)[first*v.pixels():])
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

// Conv2DGrad counts the largest of what the CPU takes, one after the other.
func (p planner) Conv2DGrad(a Conv2DGradArgs) {
	n := 0
	if a.DW.To != nil {
		n = a.DW.To.Size()
	}
	if a.DX.To != nil && a.DX.To.Size() > 0 {
		v := newConv(a.DX.To.shape, a.W.shape, a.DY.shape, a.ConvOptions)
		if a.Stride == [2]int{1, 1} {
			n = max(n, a.W.Size())
		} else if channels, places := v.tile(); v.out > 0 {
			n = max(n, channels*v.taps()*places)
		}
	}
	if n > 0 {
		p.room(a.DY, n)
	}
}
