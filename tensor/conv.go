package tensor

// ConvOptions say how the kernel of a convolution moves over an image: by rows, then by columns. A zero of Stride, Dilation or Groups stands
// for 1, so the zero value is PyTorch's default.
type ConvOptions struct {
	Stride   [2]int // from one place of the kernel to the next
	Padding  [2]int // zeros before the first row or column, and as many after the last
	Dilation [2]int // from one element of the kernel to the next
	Groups   int    // channels are cut into so many parts, and each part of the result sees one part of the input
}

// maxConv bounds strides, paddings, dilations and sides of kernels and windows, so that places do not overflow.
const maxConv = 1 << 24

// OutputSize returns the height and width of the convolution of an image of h x w with a kernel of kh x kw. One of them is 0 when
// the kernel is larger than the padded image.
func (o ConvOptions) OutputSize(h, w, kh, kw int) (int, int) {
	o = o.withDefaults()
	side := func(i, n, k int) int {
		room := n + 2*o.Padding[i] - o.Dilation[i]*(k-1) - 1
		if room < 0 {
			return 0
		}
		return room/o.Stride[i] + 1
	}
	return side(0, h, kh), side(1, w, kw)
}

// TransposedSize returns the height and width of the transposed convolution of an image of h x w: those of the smallest image whose
// convolution is h x w.
func (o ConvOptions) TransposedSize(h, w, kh, kw int) (int, int) {
	o = o.withDefaults()
	side := func(i, n, k int) int { return (n-1)*o.Stride[i] - 2*o.Padding[i] + o.Dilation[i]*(k-1) + 1 }
	return side(0, h, kh), side(1, w, kw)
}

// withDefaults is o with ones for the zeros that stand for them.
func (o ConvOptions) withDefaults() ConvOptions {
	for i := range 2 {
		o.Stride[i], o.Dilation[i] = max(o.Stride[i], 1), max(o.Dilation[i], 1)
	}
	o.Groups = max(o.Groups, 1)
	return o
}

// Conv2D returns the convolution of images X [B, C, H, W] with kernels W [O, C/Groups, kh, kw], plus Bias [O] if that is not nil:
//
//	y[b, o, r, q] = bias[o] + Σ w[o, c, i, j]·x[b, g·C/Groups + c, r·stride + i·dilation − padding, q·stride + j·dilation − padding]
//
// over c, i and j, where g = o/(O/Groups) is the group of o, and x is 0 outside the image. It is PyTorch's conv2d, with its order of weights.
// The result [B, O, h, w] has the size OutputSize. With Y it is written there, or with Add added. Y is contiguous, and sharing elements with
// an input panics, and so do options below 0 and a kernel that is larger than the padded image.
//
// The columns of the matmuls behind it are made in tiles. So scratch memory does not grow with the image.
func Conv2D(a Conv2DArgs) *Tensor {
	c := begin("Conv2D", "x, w", a.X, a.W).with(a.Y, a.Bias)
	defer c.end()
	a.ConvOptions = c.convOptions(a.ConvOptions, a.X, a.W)
	shape := c.convShape(a.ConvOptions, a.X, a.W)
	a = c.convArgs(a, shape)
	if a.Y.Size() > 0 {
		c.runAt(a.Precision, convFLOPs(a.W, a.Y), func(o Ops) { o.Conv2D(a) })
	}
	return a.Y
}

// Conv2DGrad computes those gradients of Conv2D that have a destination in a.
func Conv2DGrad(a Conv2DGradArgs) {
	c := begin("Conv2DGrad", "dy, x, w", a.DY, a.X, a.W).with(a.DX.To, a.DW.To, a.DBias.To)
	defer c.end()
	a.ConvOptions = c.convOptions(a.ConvOptions, a.X, a.W)
	shape := c.convShape(a.ConvOptions, a.X, a.W)
	a = c.convGradArgs(a, shape)
	flops := convFLOPs(a.W, a.DY)
	if a.DX.To != nil && a.DW.To != nil {
		flops *= 2
	}
	if a.DX.To != nil || a.DW.To != nil {
		c.runAt(a.Precision, flops, func(o Ops) { o.Conv2DGrad(a) })
	}
}

// ConvTranspose2D returns the transposed convolution of X [B, C, h, w] with W [C, O/Groups, kh, kw], plus Bias [O] if that is not nil: the
// gradient of Conv2D with respect to its input, where X stands for the gradient of the result. So each element of X is multiplied by a kernel
// and added where Conv2D would have read for it. It is PyTorch's conv_transpose2d without output padding, with its order of weights.
//
// The result [B, O, H, W] has the size TransposedSize. Where the stride is the side of the kernel, nothing overlaps, and it is a linear layer on
// each element whose O·kh·kw results are spread over kh x kw pixels. Y, Add and panics are those of Conv2D.
func ConvTranspose2D(a Conv2DArgs) *Tensor {
	c := begin("ConvTranspose2D", "x, w", a.X, a.W).with(a.Y, a.Bias)
	defer c.end()
	a.ConvOptions = c.convOptions(a.ConvOptions, a.X, a.W)
	shape := c.transposedShape(a.ConvOptions, a.X, a.W)
	a = c.convArgs(a, shape)
	if a.Bias != nil {
		bias := a.Bias.Reshape(-1, 1, 1).Expand(shape...)
		if a.Add {
			c.run(func(o Ops) { o.Binary(BinaryAdd, a.Y, a.Y, bias) })
		} else {
			c.run(func(o Ops) { o.Copy(a.Y, bias) })
		}
		a.Add = true
	}
	if a.Y.Size() > 0 {
		g := Conv2DGradArgs{DX: Grad{To: a.Y, Add: a.Add}, DY: a.X, W: a.W, ConvOptions: a.ConvOptions, Precision: a.Precision}
		c.runAt(a.Precision, convFLOPs(a.W, a.X), func(o Ops) { o.Conv2DGrad(g) })
	}
	return a.Y
}

// ConvTranspose2DGrad computes those gradients of ConvTranspose2D that have a destination in a.
func ConvTranspose2DGrad(a Conv2DGradArgs) {
	c := begin("ConvTranspose2DGrad", "dy, x, w", a.DY, a.X, a.W).with(a.DX.To, a.DW.To, a.DBias.To)
	defer c.end()
	a.ConvOptions = c.convOptions(a.ConvOptions, a.X, a.W)
	shape := c.transposedShape(a.ConvOptions, a.X, a.W)
	a = c.convGradArgs(a, shape)
	flops := convFLOPs(a.W, a.X)
	if a.DX.To != nil && a.X.Size() > 0 {
		f := Conv2DArgs{Y: a.DX.To, X: a.DY, W: a.W, Add: a.DX.Add, ConvOptions: a.ConvOptions, Precision: a.Precision}
		c.runAt(a.Precision, flops, func(o Ops) { o.Conv2D(f) })
	}
	if a.DW.To != nil {
		g := Conv2DGradArgs{DW: a.DW, DY: a.X, X: a.DY, ConvOptions: a.ConvOptions, Precision: a.Precision}
		c.runAt(a.Precision, flops, func(o Ops) { o.Conv2DGrad(g) })
	}
}

// convFLOPs is how many floating-point operations the convolution with kernels w takes whose result has the shape of y.
func convFLOPs(w, y *Tensor) float64 {
	return matmul(w.shape[0], w.shape[1:].Size(), y.shape[0]*y.shape[2]*y.shape[3])
}

// convOptions checks the options and the number of axes, and returns the options with their defaults.
func (c *call) convOptions(o ConvOptions, x, w *Tensor) ConvOptions {
	c.must(len(x.shape) == 4 && len(w.shape) == 4, "want images [B, C, H, W] and kernels of four axes", x.shape, w.shape)
	c.must(min(w.shape[2], w.shape[3]) > 0 && max(w.shape[2], w.shape[3]) <= maxConv, "the sides of the kernels are not from 1 to 2^24", w.shape)
	for i := range 2 {
		low, high := min(o.Stride[i], o.Padding[i], o.Dilation[i]), max(o.Stride[i], o.Padding[i], o.Dilation[i])
		mustf(low >= 0 && high <= maxConv, c.op, []Shape{x.shape, w.shape}, "stride %v, padding %v or dilation %v is below 0 or beyond 2^24", o.Stride, o.Padding, o.Dilation)
	}
	mustf(o.Groups >= 0 && o.Groups <= max(1, x.shape[1]), c.op, []Shape{x.shape, w.shape}, "%d groups of %d channels", o.Groups, x.shape[1])
	return o.withDefaults()
}

// convShape is the shape of Conv2D's result.
func (c *call) convShape(o ConvOptions, x, w *Tensor) Shape {
	mustf(x.shape[1]/o.Groups == w.shape[1] && x.shape[1]%o.Groups == 0 && w.shape[0]%o.Groups == 0, c.op, []Shape{x.shape, w.shape},
		"channels and kernels do not fit %d groups: want x [B, C, H, W] and w [O, C/groups, kh, kw]", o.Groups)
	c.must(x.shape[2]*x.shape[3] > 0, "the images have no pixels", x.shape, w.shape)
	h, q := o.OutputSize(x.shape[2], x.shape[3], w.shape[2], w.shape[3])
	c.must(h > 0 && q > 0, "the kernel is larger than the padded image", x.shape, w.shape)
	return Shape{x.shape[0], w.shape[0], h, q}
}

// transposedShape is the shape of ConvTranspose2D's result.
func (c *call) transposedShape(o ConvOptions, x, w *Tensor) Shape {
	mustf(x.shape[1] == w.shape[0] && w.shape[0]%o.Groups == 0, c.op, []Shape{x.shape, w.shape},
		"channels and kernels do not fit %d groups: want x [B, C, h, w] and w [C, O/groups, kh, kw]", o.Groups)
	h, q := o.TransposedSize(x.shape[2], x.shape[3], w.shape[2], w.shape[3])
	c.must(min(x.shape[2], x.shape[3], h, q) > 0, "the result has no pixels", x.shape, w.shape)
	return Shape{x.shape[0], w.shape[1] * o.Groups, h, q}
}

// convArgs checks the other tensors of a convolution with a result of the given shape, and allocates Y where it is nil.
func (c *call) convArgs(a Conv2DArgs, shape Shape) Conv2DArgs {
	if a.Y == nil {
		c.must(!a.Add, "there is no y to add to", shape)
		a.Y = c.out(shape...)
	}
	c.must(a.Y.shape.Equal(shape), "y has another shape than the result", a.Y.shape, shape)
	a.Y.inPlace(c.op, Float32)
	a.X, a.W, a.Bias = c.f32(a.X), c.f32(a.W), c.vector(a.Bias, "bias", shape[1])
	c.apart(a.Y, a.X, a.W, a.Bias)
	return a
}

// convGradArgs checks the other tensors of the gradients of a convolution with a result of the given shape, and computes that of the bias.
func (c *call) convGradArgs(a Conv2DGradArgs, shape Shape) Conv2DGradArgs {
	c.must(a.DY.shape.Equal(shape), "dy has another shape than the result", a.DY.shape, shape)
	a.DX, a.DW, a.DBias = c.grad(a.DX, "dx", a.X.Size()), c.grad(a.DW, "dw", a.W.Size()), c.grad(a.DBias, "dbias", shape[1])
	a.DY, a.X, a.W = c.f32(a.DY), c.f32(a.X), c.f32(a.W)
	for _, g := range []Grad{a.DX, a.DW, a.DBias} {
		c.apart(g.To, a.DY, a.X, a.W)
	}
	if a.DX.To != nil {
		a.DX.To = a.DX.To.Reshape(a.X.shape...)
	}
	if a.DW.To != nil {
		a.DW.To = a.DW.To.Reshape(a.W.shape...)
	}
	if a.DBias.To != nil {
		c.channelSums(a.DBias, a.DY)
	}
	a.DBias = Grad{}
	return a
}

// channelSums writes the sums of the channels of x [B, C, H, W], over images and pixels, to g.
func (c *call) channelSums(g Grad, x *Tensor) {
	b, ch, pixels := x.shape[0], x.shape[1], x.shape[2]*x.shape[3]
	each := c.out(b, ch)
	c.temps = append(c.temps, each)
	c.run(func(o Ops) { o.Reduce(ReduceSum, each, x, b*ch, pixels, 1) })
	to := g.To
	if g.Add {
		to = c.out(ch)
		c.temps = append(c.temps, to)
	}
	c.run(func(o Ops) { o.Reduce(ReduceSum, to, each, 1, b, ch) })
	if g.Add {
		c.run(func(o Ops) { o.AddScaled(g.To, to, 1) })
	}
}
