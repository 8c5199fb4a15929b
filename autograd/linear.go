package autograd

import "github.com/gobeit/gobeit/tensor"

// LinearOptions are operations fused with a linear layer; see tensor.LinearArgs.
type LinearOptions struct {
	GELU     bool           // y = GELU(x·wᵀ + bias); not together with Residual
	Residual *Var           // y = residual + keep·gamma ⊙ (x·wᵀ + bias)
	Gamma    *Var           // LayerScale [N]; nil: ones
	Keep     *tensor.Tensor // stochastic depth [B]; nil: ones
}

// The places of Linear's inputs, and of what it saves.
const (
	linearX, linearW, linearBias, linearResidual, linearGamma = 0, 1, 2, 3, 4

	savedPre = 0 // with GELU: what GELU was applied to
)

var linearRule = newRule(rule{
	name: "Linear",
	grad: func(n *node, dy *tensor.Tensor) {
		f := n.attr.(tensor.LinearArgs)
		tensor.LinearGrad(tensor.LinearGradArgs{
			DX: n.dest(linearX), DW: n.dest(linearW), DBias: n.dest(linearBias), DGamma: n.dest(linearGamma),
			DY: dy, X: n.in[linearX].value, W: n.in[linearW].value, Bias: n.in[linearBias].tensor(), Gamma: n.in[linearGamma].tensor(),
			Pre: f.Pre, Keep: f.Keep, Precision: f.Precision,
		})
		n.pass(n.in[linearResidual], dy)
	},
	recompute: func(n *node) func() *tensor.Tensor {
		if n.attr.(tensor.LinearArgs).Pre == nil {
			return nil
		}
		return func() *tensor.Tensor {
			return tensor.Unary(tensor.UnaryGELU, n.attr.(tensor.LinearArgs).Pre)
		}
	},
})

// Linear returns x·wᵀ + bias with the options o, at the tape's precision. x is [.., K], w [N, K], and bias [N] or nil.
func Linear(x, w, bias *Var, o LinearOptions) *Var {
	t := begin("Linear", "x, w", x, w)
	t.with("Linear", bias, o.Residual, o.Gamma)
	f := tensor.Linear(tensor.LinearArgs{
		X: x.value, W: w.value, Bias: bias.tensor(), GELU: o.GELU,
		Residual: o.Residual.tensor(), Gamma: o.Gamma.tensor(), Keep: o.Keep, Precision: t.Precision,
	})
	var saved []*tensor.Tensor
	if f.Pre != nil {
		saved = append(saved, f.Pre)
	}
	return t.result(linearRule, f.Y, f, saved,
		[]*Var{linearX: x, linearW: w, linearBias: bias, linearResidual: o.Residual, linearGamma: o.Gamma}...)
}

// replacePre replaces the tensor that a Linear with GELU saved by pre.
func (n *node) replacePre(pre *tensor.Tensor) {
	f := n.attr.(tensor.LinearArgs)
	f.Pre.Release()
	f.Pre, n.saved[savedPre] = pre, pre
	n.attr = f
}
