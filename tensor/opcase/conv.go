package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// convShape is a convolution of x [b, c, h, w] with o kernels of kh x kw; transposed, of x [b, o, ..] back to c channels of h x w.
type convShape struct {
	b, c, h, w, o, kh, kw int
	tensor.ConvOptions
	name                  string // of what follows
	transposed, bias, add bool
	precision             tensor.Precision
}

var _ = family(convolutions)

func convolutions() []Case {
	pair := func(y, x int) [2]int { return [2]int{y, x} }
	same := func(n int) [2]int { return pair(n, n) }
	shapes := []convShape{
		{b: 0, c: 3, h: 4, w: 5, o: 2, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}},
		{b: 1, c: 1, h: 1, w: 1, o: 1, kh: 1, kw: 1},
		{b: 2, c: 3, h: 7, w: 9, o: 4, kh: 1, kw: 1},
		{b: 2, c: 3, h: 7, w: 9, o: 4, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}},
		{b: 3, c: 4, h: 1, w: 1, o: 5, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}},
		{b: 2, c: 3, h: 5, w: 4, o: 2, kh: 2, kw: 3, ConvOptions: tensor.ConvOptions{Padding: pair(2, 3)}},
		{b: 1, c: 2, h: 11, w: 8, o: 3, kh: 3, kw: 2, ConvOptions: tensor.ConvOptions{Stride: same(2), Padding: same(1)}},
		{b: 2, c: 2, h: 9, w: 13, o: 3, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Dilation: same(2), Padding: same(2)}},
		{b: 1, c: 3, h: 10, w: 12, o: 2, kh: 3, kw: 2, ConvOptions: tensor.ConvOptions{Stride: pair(3, 1), Dilation: pair(1, 4), Padding: pair(0, 5)}},
		{b: 1, c: 2, h: 6, w: 7, o: 3, kh: 1, kw: 1, ConvOptions: tensor.ConvOptions{Stride: same(3), Padding: same(2)}},
		{b: 2, c: 4, h: 6, w: 5, o: 6, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Groups: 2, Padding: same(1)}},
		{b: 2, c: 4, h: 7, w: 8, o: 6, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Groups: 2, Stride: same(2), Padding: same(1)}},
		{b: 2, c: 5, h: 6, w: 5, o: 10, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Groups: 5, Padding: same(1)}},
		{b: 2, c: 3, h: 12, w: 16, o: 10, kh: 4, kw: 4, ConvOptions: tensor.ConvOptions{Stride: same(4)}},
		{b: 1, c: 3, h: 20, w: 23, o: 5, kh: 7, kw: 7, ConvOptions: tensor.ConvOptions{Stride: same(2), Padding: same(3)}},
		{b: 1, c: 33, h: 17, w: 65, o: 35, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}},
	}
	var cases []Case
	for _, s := range shapes {
		s.name = "plain"
		cases = append(cases, convCase(s))
		s.name, s.bias, s.add = "bias/gradients added", true, true
		cases = append(cases, convCase(s))
	}
	for _, s := range []convShape{
		{b: 0, c: 3, h: 4, w: 6, o: 2, kh: 2, kw: 2, ConvOptions: tensor.ConvOptions{Stride: same(2)}},
		{b: 3, c: 6, h: 2, w: 2, o: 4, kh: 2, kw: 2, ConvOptions: tensor.ConvOptions{Stride: same(2)}},
		{b: 2, c: 4, h: 14, w: 18, o: 3, kh: 2, kw: 2, ConvOptions: tensor.ConvOptions{Stride: same(2)}},
		{b: 1, c: 4, h: 9, w: 13, o: 6, kh: 3, kw: 5, ConvOptions: tensor.ConvOptions{Stride: pair(2, 4), Padding: pair(1, 2), Groups: 2}},
		{b: 1, c: 3, h: 8, w: 7, o: 4, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}},
	} {
		s.transposed, s.name = true, "plain"
		cases = append(cases, convCase(s))
		s.name, s.bias, s.add = "bias/gradients added", true, true
		cases = append(cases, convCase(s))
	}
	for _, p := range []tensor.Precision{tensor.High, tensor.Medium} {
		for _, i := range []int{2, 6, 11, 15} {
			s := shapes[i]
			s.name, s.precision, s.bias = fmt.Sprintf("bias/%v", p), p, true
			cases = append(cases, convCase(s))
		}
	}
	large := convShape{b: 2, c: 64, h: 33, w: 32, o: 70, kh: 3, kw: 3, ConvOptions: tensor.ConvOptions{Padding: same(1)}, name: "plain"}
	strided := large
	strided.Stride = same(2)
	return append(cases, convCase(large), convCase(strided))
}

// sizes are those of the three tensors: the larger image, the kernels, the smaller image.
func (s convShape) sizes() (x, w, y []int) {
	h, q := s.OutputSize(s.h, s.w, s.kh, s.kw)
	return []int{s.b, s.c, s.h, s.w}, []int{s.o, s.c / max(1, s.Groups), s.kh, s.kw}, []int{s.b, s.o, h, q}
}

func convCase(s convShape) Case {
	x, w, y := s.sizes()
	op, channels, inputs := "Conv2D", s.o, []Input{f(x...), f(w...)}
	if s.transposed {
		op, channels, inputs = "ConvTranspose2D", s.c, []Input{f(y...), f(w...)}
	}
	if s.bias {
		inputs = append(inputs, f(channels))
	}
	macs := float64(s.b * y[1] * y[2] * y[3] * w[1] * s.kh * s.kw)
	return Case{
		Name: fmt.Sprintf("%s/b=%d/c=%d/h=%d/w=%d/o=%d/kernel=%dx%d/stride=%dx%d/padding=%dx%d/dilation=%dx%d/groups=%d/%s", op, s.b, s.c, s.h, s.w,
			s.o, s.kh, s.kw, s.Stride[0], s.Stride[1], s.Padding[0], s.Padding[1], s.Dilation[0], s.Dilation[1], s.Groups, s.name),
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.Conv2DArgs{X: in[0], W: in[1], ConvOptions: s.ConvOptions, Precision: s.precision}
			if s.bias {
				a.Bias = in[2]
			}
			if s.transposed {
				return one(tensor.ConvTranspose2D(a))
			}
			return one(tensor.Conv2D(a))
		},
		Reference: func(in [][]float64) [][]float64 { return one(s.reference(in, channels)) },
		Backward: func(dev *tensor.Device, in, _ []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return s.backward(dev, in, dy)
		},
		Tolerance: convTolerance(s.precision), FLOPs: 2 * macs,
	}
}

// convTolerance is productTolerance, with one for High too.
func convTolerance(p tensor.Precision) float64 {
	if p == tensor.High {
		return 0x1p-12
	}
	return productTolerance(p)
}

func (s convShape) backward(dev *tensor.Device, in []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
	a := tensor.Conv2DGradArgs{
		DX: gradient(dev, s.add, in[0].Shape()), DW: gradient(dev, s.add, in[1].Shape()),
		DY: dy, X: in[0], W: in[1], ConvOptions: s.ConvOptions, Precision: s.precision,
	}
	if s.bias {
		a.DBias = gradient(dev, s.add, in[2].Shape())
	}
	if s.transposed {
		tensor.ConvTranspose2DGrad(a)
	} else {
		tensor.Conv2DGrad(a)
	}
	grads := []*tensor.Tensor{taken(a.DX), taken(a.DW)}
	if s.bias {
		grads = append(grads, taken(a.DBias))
	}
	return grads
}

// reference is the plain loop over all pairs of elements of the two images that a tap connects.
func (s convShape) reference(in [][]float64, channels int) []float64 {
	_, w, small := s.sizes()
	h, q := small[2], small[3]
	size, other := h*q, s.h*s.w // of a channel of the result and of the input
	if s.transposed {
		size, other = other, size
	}
	out := make([]float64, s.b*channels*size)
	if s.bias {
		for i := range out {
			out[i] = in[2][i/size%channels]
		}
	}
	stride, dilation := s.Stride, s.Dilation
	for i := range 2 {
		stride[i], dilation[i] = max(1, stride[i]), max(1, dilation[i])
	}
	perGroup := s.o / max(1, s.Groups)
	for b := range s.b {
		for o := range s.o {
			for c := range w[1] {
				from, to := b*s.c+o/perGroup*w[1]+c, b*s.o+o // planes of the larger and of the smaller image
				if s.transposed {
					from, to = to, from
				}
				x, y := in[0][from*other:], out[to*size:]
				for tap := range s.kh * s.kw {
					weight := in[1][(o*w[1]+c)*s.kh*s.kw+tap]
					for r := range h {
						for p := range q {
							row := r*stride[0] + tap/s.kw*dilation[0] - s.Padding[0]
							col := p*stride[1] + tap%s.kw*dilation[1] - s.Padding[1]
							switch {
							case row < 0 || row >= s.h || col < 0 || col >= s.w:
							case s.transposed:
								y[row*s.w+col] += weight * x[r*q+p]
							default:
								y[r*q+p] += weight * x[row*s.w+col]
							}
						}
					}
				}
			}
		}
	}
	return out
}
