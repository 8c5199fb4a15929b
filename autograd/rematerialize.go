package autograd

import "github.com/gobeit/gobeit/tensor"

// Forget gives up v's value after its last use before Backward, and with it the memory, where there is a cheaper way to have it again:
//
//   - the outputs of LayerNorm, and of Linear with GELU, are computed again from what is kept anyway: the same bytes;
//   - where the device heeds Medium, others are kept in bfloat16, to which products at Medium round them, and so is what GELU was applied to;
//     but not the outputs that an operation's own gradient reads in float32: attention's, softmax's, tanh's and their like.
//
// Anything else is kept as it is. Gradients are those without Forget, but at a Medium that is heeded for GELU, which is computed and
// differentiated at the rounded number.
func (v *Var) Rematerialize() {
	n := v.from
	if n == nil || v.keep || v.freed || v.lost {
		return
	}
	medium := v.tape.Precision == tensor.Medium && v.tape.dev.Supports(tensor.Medium)
	if f, ok := n.attr.(tensor.LinearArgs); ok && f.Pre != nil && medium {
		n.exchange(tensor.Cast(f.Pre, tensor.BFloat16))
	}
	switch {
	case n.canRepeat():
	case medium && !n.readsOutput():
		v.packed = tensor.Cast(v.value, tensor.BFloat16)
	default:
		return
	}
	v.value.Release()
	v.lost = true
}

// recall brings back a value that was forgotten.
func (v *Var) restore() {
	if v == nil || !v.lost {
		return
	}
	v.lost = false
	if v.packed == nil {
		v.value = v.from.repeat()
		return
	}
	v.value = tensor.Cast(v.packed, tensor.Float32)
	v.packed.Release()
	v.packed = nil
}

// canRepeat says whether repeat is cheap.
func (n *node) canRepeat() bool {
	f, ok := n.attr.(tensor.LinearArgs)
	return n.kind == kLayerNorm || ok && f.Pre != nil
}

// repeat computes the node's output again.
func (n *node) repeat() *tensor.Tensor {
	switch f := n.attr.(type) {
	case tensor.LayerNormArgs:
		for _, v := range n.in {
			v.restore()
		}
		return tensor.LayerNorm(tensor.LayerNormArgs{
			X: n.in[layerNormX].value, W: n.in[layerNormW].value, B: n.in[layerNormB].value, Mean: f.Mean, Rstd: f.Rstd, Eps: f.Eps,
		}).Y
	case tensor.LinearArgs:
		if f.Pre.DType() != tensor.Float32 {
			f.Pre = n.exchange(tensor.Cast(f.Pre, tensor.Float32))
		}
		return tensor.Unary(tensor.UnaryGELU, f.Pre)
	}
	panic("autograd: nothing to repeat " + n.kind.String() + " from")
}

// exchange puts pre in the place of the tensor that a Linear with GELU saved, and returns it.
func (n *node) exchange(pre *tensor.Tensor) *tensor.Tensor {
	f := n.attr.(tensor.LinearArgs)
	f.Pre.Release()
	f.Pre, n.saved[savedPre] = pre, pre
	n.attr = f
	return pre
}
