package autograd

import "github.com/gobeit/gobeit/tensor"

// LinearOptions are operations fused with a linear layer; see tensor.LinearArgs.
type LinearOptions struct {
	GELU     bool           // y = GELU(x·wᵀ + bias); not together with Residual
	Residual *Var           // y = residual + keep·gamma ⊙ (x·wᵀ + bias)
	Gamma    *Var           // LayerScale [N]; nil: ones
	Keep     *tensor.Tensor // stochastic depth [B]; nil: ones
}

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
	return t.result(kLinear, f.Y, f, saved,
		[]*Var{linearX: x, linearW: w, linearBias: bias, linearResidual: o.Residual, linearGamma: o.Gamma}...)
}
