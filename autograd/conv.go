package autograd

import "github.com/gobeit/gobeit/tensor"

// The places of the inputs of a convolution.
const convX, convW, convBias = 0, 1, 2

var conv2DRule = newRule(rule{name: "Conv2D", grad: func(n *node, dy *tensor.Tensor) { tensor.Conv2DGrad(n.convGrad(dy)) }})

// Conv2D returns the convolution of images x [B, C, H, W] with kernels w [O, C/Groups, kh, kw], plus bias [O] if that is not nil, at the
// tape's precision; see tensor.Conv2D.
func Conv2D(x, w, bias *Var, o tensor.ConvOptions) *Var {
	return convolve("Conv2D", conv2DRule, tensor.Conv2D, x, w, bias, o)
}

var convTranspose2DRule = newRule(rule{name: "ConvTranspose2D", grad: func(n *node, dy *tensor.Tensor) { tensor.ConvTranspose2DGrad(n.convGrad(dy)) }})

// ConvTranspose2D returns the transposed convolution of images x [B, C, H, W] with kernels w [C, O/Groups, kh, kw], plus bias [O] if that is
// not nil, at the tape's precision; see tensor.ConvTranspose2D.
func ConvTranspose2D(x, w, bias *Var, o tensor.ConvOptions) *Var {
	return convolve("ConvTranspose2D", convTranspose2DRule, tensor.ConvTranspose2D, x, w, bias, o)
}

// convolve records f for a call of the function of that name.
func convolve(name string, r *rule, f func(tensor.Conv2DArgs) *tensor.Tensor, x, w, bias *Var, o tensor.ConvOptions) *Var {
	t := begin(name, "x, w", x, w)
	t.with(name, bias)
	a := tensor.Conv2DArgs{X: x.value, W: w.value, Bias: bias.tensor(), ConvOptions: o, Precision: t.Precision}
	return t.result(r, f(a), a, nil, []*Var{convX: x, convW: w, convBias: bias}...)
}

// convGrad is what the gradient of a convolution needs.
func (n *node) convGrad(dy *tensor.Tensor) tensor.Conv2DGradArgs {
	a := n.attr.(tensor.Conv2DArgs)
	return tensor.Conv2DGradArgs{
		DX: n.dest(convX), DW: n.dest(convW), DBias: n.dest(convBias),
		DY: dy, X: n.in[convX].value, W: n.in[convW].value, ConvOptions: a.ConvOptions, Precision: a.Precision,
	}
}
