package nn

import (
	"github.com/gobeit/gobeit/autograd"
	"github.com/gobeit/gobeit/tensor"
)

// Conv2DConfig describes a convolution with square kernels, or a transposed one. A zero of Stride, Dilation or Groups stands for 1.
type Conv2DConfig struct {
	In, Out, Kernel           int
	Stride, Padding, Dilation int
	Groups                    int
	NoBias                    bool
	Init                      LinearInit // nil: LibraryDefault
}

// options are those of the operation.
func (c Conv2DConfig) options() tensor.ConvOptions {
	both := func(n int) [2]int { return [2]int{n, n} }
	return tensor.ConvOptions{Stride: both(c.Stride), Padding: both(c.Padding), Dilation: both(c.Dilation), Groups: c.Groups}
}

// Conv2D is a convolution layer.
type Conv2D struct {
	W       *Param // [out, in/groups, k, k]
	B       *Param // [out], nil without a bias
	Options tensor.ConvOptions
}

// NewConv2D declares a convolution with the parameters "weight" and, unless NoBias is set, "bias".
//
// By default both are uniform within ±1/√fanIn, where fanIn is in/groups·k². That is PyTorch's default for torch.nn.Conv2d: reset_parameters
// of torch/nn/modules/conv.py draws weights by kaiming_uniform_ with a = √5, whose bound √(6/((1 + a²)·fanIn)) is this.
func NewConv2D(s Scope, c Conv2DConfig) *Conv2D {
	w, b := convParams(s, c, c.Out, c.In/max(c.Groups, 1))
	return &Conv2D{W: w, B: b, Options: c.options()}
}

// Forward maps images [B, in, H, W] to [B, out, h, w]; see tensor.Conv2D.
func (l *Conv2D) Forward(c Context, x *autograd.Var) *autograd.Var {
	return autograd.Conv2D(x, l.W.Var(c.Tape), l.B.Var(c.Tape), l.Options)
}

// ConvTranspose2D is a transposed convolution layer.
type ConvTranspose2D struct {
	W       *Param // [in, out/groups, k, k]
	B       *Param // [out], nil without a bias
	Options tensor.ConvOptions
}

// NewConvTranspose2D declares a transposed convolution with the parameters "weight" and, unless NoBias is set, "bias".
//
// By default both are uniform within ±1/√fanIn, where fanIn is out/groups·k²: PyTorch takes it from the second axis of the weight, which
// is that of the results here (_calculate_fan_in_and_fan_out of torch/nn/init.py).
func NewConvTranspose2D(s Scope, c Conv2DConfig) *ConvTranspose2D {
	w, b := convParams(s, c, c.In, c.Out/max(c.Groups, 1))
	return &ConvTranspose2D{W: w, B: b, Options: c.options()}
}

// Forward maps images [B, in, h, w] to [B, out, H, W]; see tensor.ConvTranspose2D.
func (l *ConvTranspose2D) Forward(c Context, x *autograd.Var) *autograd.Var {
	return autograd.ConvTranspose2D(x, l.W.Var(c.Tape), l.B.Var(c.Tape), l.Options)
}

// convParams declares the parameters of a convolution whose weights are [first, second, k, k].
func convParams(s Scope, c Conv2DConfig, first, second int) (w, b *Param) {
	init := c.Init
	if init == nil {
		init = LibraryDefault
	}
	weight, bias := init(second * c.Kernel * c.Kernel)
	w = s.Param("weight", weight, first, second, c.Kernel, c.Kernel)
	if !c.NoBias {
		b = s.Param("bias", bias, c.Out)
	}
	return w, b
}
