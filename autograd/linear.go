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
	f := tensor.Linear(tensor.LinearArgs{
		X: x.value, W: w.value, Bias: bias.tensor(), GELU: o.GELU,
		Residual: o.Residual.tensor(), Gamma: o.Gamma.tensor(), Keep: o.Keep, Precision: x.tape.Precision,
	})
	var saved []*tensor.Tensor
	if f.Pre != nil {
		saved = append(saved, f.Pre)
	}
	return x.tape.result(kLinear, f.Y, f, saved,
		[]*Var{linearX: x, linearW: w, linearBias: bias, linearResidual: o.Residual, linearGamma: o.Gamma}...)
}
