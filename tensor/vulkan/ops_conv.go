//go:build ((linux && !android) || windows || (cgo && (freebsd || (darwin && vulkan)))) && (amd64 || arm64) && !novulkan

package vulkan

import (
	"github.com/gobeit/gobeit/shaders"
	"github.com/gobeit/gobeit/tensor"
)

// conv holds the sizes of a convolution of x [B, C, H, W] with w [O, C/Groups, kh, kw] to y [B, O, oh, ow].
type conv struct {
	tensor.ConvOptions
	b, h, w, oh, ow int
	kh, kw          int
	in, out         int // channels of a group of x and of y
}

func newConv(x, w, y tensor.Shape, o tensor.ConvOptions) conv {
	return conv{
		ConvOptions: o, b: x[0], h: x[2], w: x[3], oh: y[2], ow: y[3], kh: w[2], kw: w[3], in: w[1], out: w[0] / o.Groups,
	}
}

func (v conv) taps() int   { return v.kh * v.kw }
func (v conv) depth() int  { return v.in * v.taps() } // of a kernel
func (v conv) pixels() int { return v.h * v.w }       // of x
func (v conv) places() int { return v.oh * v.ow }     // of a kernel

// columns is a part of the columns of a convolution; see shaders/columns.comp. It has count matrices from the first on, one for each group
// of each image.
type columns struct{ first, count, row, rows, place, places int }

func (p columns) words() int { return p.count * p.rows * p.places }

// columnWords bounds the columns that exist at a time, unless a single row or place has more.
const columnWords = 4 << 20

// eachColumns calls f for parts of the columns, with scratch memory for them. Rows are cut at multiples of unit, or not at all if that is 0. Places
// are cut if cut is set. Matrices are taken together if together is set and they are whole.
func (b *backend) eachColumns(v conv, unit int, cut, together bool, f func(p columns, cols arg)) {
	limit, most := b.columnLimit(), int(b.caps.maxRange-b.caps.align)/4
	p := columns{count: 1, rows: v.depth(), places: v.places()}
	if unit > 0 {
		p.rows = min(p.rows, max(1, limit/p.places/unit)*unit)
	}
	if cut {
		p.places = min(p.places, max(1, limit/max(1, p.rows)))
	}
	all := v.b * v.Groups
	if together && p.rows == v.depth() && p.places == v.places() {
		p.count = max(1, min(all, limit/max(1, p.words()), most/max(1, v.in*v.pixels())))
	}
	cols := b.temp(p.words())
	for part := p; part.first < all; part.first += part.count {
		part.count = min(p.count, all-part.first)
		if v.Groups > 1 { // matrices of two images have the same kernels again
			part.count = min(part.count, v.Groups-part.first%v.Groups)
		}
		for part.row = 0; part.row < v.depth(); part.row += part.rows {
			part.rows = min(p.rows, v.depth()-part.row)
			for part.place = 0; part.place < v.places(); part.place += part.places {
				part.places = min(p.places, v.places()-part.place)
				mark := b.mark()
				f(part, cols.part(0, part.words()))
				b.release(mark)
			}
			part.places = p.places
		}
		part.rows = p.rows
	}
}

// columnLimit is columnWords, or what a shader sees of memory if that is less.
func (b *backend) columnLimit() int { return min(columnWords, int(b.caps.maxRange-b.caps.align)/4) }

// push is the words of the shaders for a part of the columns.
func (v conv) push(n int, p columns) []uint32 {
	return []uint32{
		u(n), u(p.rows), u(p.places), u(p.row), u(p.place), u(v.in * v.pixels()), u(v.h), u(v.w), u(v.oh), u(v.ow), u(v.taps()), u(v.kw),
		u(v.Stride[0]), u(v.Stride[1]), u(v.Padding[0]), u(v.Padding[1]), u(v.Dilation[0]), u(v.Dilation[1]),
	}
}

// channels calls f for the channels of a part, at once or in pieces that a shader sees whole: n channels from channel lo of the group on, as a part
// of x.
func (b *backend) channels(v conv, x arg, p columns, f func(lo, n int, planes arg)) {
	size := v.in * v.pixels()
	if p.count > 1 {
		f(0, v.in, x.part(p.first*size, p.count*size))
		return
	}
	last := div(p.row+p.rows, v.taps())
	most := max(1, int(b.caps.maxRange-b.caps.align)/4/v.pixels())
	for lo := p.row / v.taps(); lo < last; lo += most {
		n := min(most, last-lo)
		f(lo, n, x.part(p.first*size+lo*v.pixels(), n*v.pixels()))
	}
}

// im2col writes a part of the columns of x to cols.
func (b *backend) im2col(v conv, x, cols arg, p columns) {
	b.channels(v, x, p, func(lo, n int, planes arg) {
		piece, from := p, max(p.row, lo*v.taps())
		piece.rows = min(p.row+p.rows, (lo+n)*v.taps()) - from
		piece.row = from - lo*v.taps()
		b.dispatch(shaders.Im2Col, []uint32{0}, elements(piece.words()), v.push(piece.words(), piece),
			cols.part((from-p.row)*p.places, piece.words()), planes.read())
	})
}

// col2im adds a part of the gradient of the columns to that of x, or with add false it replaces the channels.
func (b *backend) col2im(v conv, x, cols arg, p columns, add bool) {
	b.channels(v, x, p, func(lo, n int, planes arg) {
		piece := p
		piece.row, piece.rows = 0, n*v.taps()
		size := p.count * n * v.pixels()
		for tap := 0; tap < v.taps(); tap += b.caps.maxTurns {
			end := min(v.taps(), tap+b.caps.maxTurns)
			b.weigh(float64(size) * float64(end-tap))
			b.dispatch(shaders.Col2Im, []uint32{word(add || tap > 0)}, elements(size), append(v.push(size, piece), u(tap), u(end)),
				planes, cols.part((lo*v.taps()-p.row)*p.places, piece.words()).read())
		}
	})
}

// kernels is the part of w for the matrices of a part of the columns, from its first row on, and the step from one matrix to the next.
func (v conv) kernels(w arg, p columns) (from arg, next int) {
	size := v.out * v.depth()
	if v.Groups > 1 {
		next = size
	}
	return w.from(p.first%v.Groups*size + p.row), next
}

// Conv2D multiplies the kernels by the columns, a part after the other.
func (b *backend) Conv2D(a tensor.Conv2DArgs) {
	v := newConv(a.X.Shape(), a.W.Shape(), a.Y.Shape(), a.ConvOptions)
	if a.Bias != nil {
		bias := a.Bias.Reshape(-1, 1, 1).Expand(a.Y.Shape()...)
		if a.Add {
			b.Binary(tensor.BinaryAdd, a.Y, a.Y, bias)
		} else {
			b.Copy(a.Y, bias)
		}
		a.Add = true
	}
	if v.depth() == 0 {
		b.zero(tensor.Grad{To: a.Y, Add: a.Add})
		return
	}
	b.eachColumns(v, 1, false, true, func(p columns, cols arg) {
		b.im2col(v, read(a.X), cols, p)
		w, next := v.kernels(read(a.W), p)
		b.multiply(product{
			batch: p.count, m: v.out, n: p.places, k: p.rows, c: update(a.Y).rows(p.first, p.count, v.out*v.places()), a: w, b: cols.read(),
			aRow: v.depth(), aCol: 1, bRow: p.places, bCol: 1, aNext: next, bNext: p.rows * p.places, add: a.Add || p.row > 0, faster: b.faster(a.Precision),
		})
	})
}

// Conv2DGrad computes one gradient after the other.
func (b *backend) Conv2DGrad(a tensor.Conv2DGradArgs) {
	if a.DX.To != nil && a.DX.To.Size() > 0 {
		b.convInputGrad(a, newConv(a.DX.To.Shape(), a.W.Shape(), a.DY.Shape(), a.ConvOptions))
	}
	if a.DW.To != nil && a.DW.To.Size() > 0 {
		b.convWeightGrad(a, newConv(a.X.Shape(), a.DW.To.Shape(), a.DY.Shape(), a.ConvOptions))
	}
}

// convInputGrad multiplies the transposed kernels by dy, which gives the gradient of the columns, and adds its elements where they were read.
func (b *backend) convInputGrad(a tensor.Conv2DGradArgs, v conv) {
	if v.out == 0 {
		b.zero(a.DX)
		return
	}
	b.eachColumns(v, v.taps(), true, true, func(p columns, cols arg) {
		w, next := v.kernels(read(a.W), p)
		b.multiply(product{
			batch: p.count, m: p.rows, n: p.places, k: v.out, c: cols, a: w, b: read(a.DY).rows(p.first, p.count, v.out*v.places()).from(p.place),
			aRow: 1, aCol: v.depth(), bRow: v.places(), bCol: 1, aNext: next, bNext: v.out * v.places(), faster: b.faster(a.Precision),
		})
		b.col2im(v, update(a.DX.To), cols, p, a.DX.Add || p.place > 0)
	})
}

// convWeightGrad multiplies dy by the transposed columns. Images are added in order.
func (b *backend) convWeightGrad(a tensor.Conv2DGradArgs, v conv) {
	if v.b == 0 {
		b.zero(a.DW)
		return
	}
	size := v.out * v.depth()
	b.eachColumns(v, 0, true, v.Groups > 1, func(p columns, cols arg) {
		b.im2col(v, read(a.X), cols, p)
		b.multiply(product{
			batch: p.count, m: v.out, n: p.rows, k: p.places, c: update(a.DW.To).rows(p.first%v.Groups, p.count, size),
			a: read(a.DY).rows(p.first, p.count, v.out*v.places()).from(p.place), b: cols.read(),
			aRow: v.places(), aCol: 1, bRow: 1, bCol: p.places, aNext: v.out * v.places(), bNext: p.rows * p.places,
			add: a.DW.Add || p.first >= v.Groups || p.place > 0, faster: b.faster(a.Precision),
		})
	})
}
