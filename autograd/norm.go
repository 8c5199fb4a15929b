package autograd

import "github.com/gobeit/gobeit/tensor"

// normEps bounds norms from below, as in PyTorch's functional.normalize.
const normEps = 1e-12

// LayerNorm normalises the last axis of x, then multiplies by w and adds b, both [D].
func LayerNorm(x, w, b *Var, eps float32) *Var {
	t := begin("LayerNorm", "x, w, b", x, w, b)
	f := tensor.LayerNorm(tensor.LayerNormArgs{X: x.value, W: w.value, B: b.value, Eps: eps})
	return t.result(kLayerNorm, f.Y, f, []*tensor.Tensor{f.Mean, f.Rstd}, []*Var{layerNormX: x, layerNormW: w, layerNormB: b}...)
}

// L2Normalize divides the last axis by max(its 2-norm, 1e-12).
func L2Normalize(x *Var) *Var {
	t := begin("L2Normalize", "x", x)
	y, norm := tensor.L2Normalize(x.value, normEps)
	return t.result(kL2Normalize, y, nil, []*tensor.Tensor{savedNorm: norm}, x)
}
