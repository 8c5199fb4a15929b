package autograd

import "github.com/gobeit/gobeit/tensor"

// Rematerialize releases the value of v after its last use before Backward, where it can be restored cheaply for Backward:
//
//   - Outputs of LayerNorm, and of Linear with GELU, are recomputed from what is kept anyway. They have the same bytes.
//   - Where the device supports Medium and the tape uses it, other values are kept in bfloat16, to which a matmul rounds them anyway. So
//     is the input of GELU.
//   - The exceptions at Medium are values that their own backward rule reads in float32: outputs of attention, softmax, tanh and the
//     like.
//
// Other values are not changed. Gradients are the same as without Rematerialize. Where Medium is in use, the exception is GELU: its
// gradient is computed at the rounded input.
func (v *Var) Rematerialize() {
	given("Rematerialize", "the Var", v)
	n := v.from
	if n == nil || v.keep || v.freed || v.dropped {
		return
	}
	medium := v.tape.Precision == tensor.Medium && v.tape.dev.Supports("MatMul", tensor.Medium)
	if f, ok := n.attr.(tensor.LinearArgs); ok && f.Pre != nil && medium {
		n.replacePre(tensor.Cast(f.Pre, tensor.BFloat16))
	}
	switch {
	case n.recompute() != nil:
	case medium && !n.readsOutput():
		v.packed = tensor.Cast(v.value, tensor.BFloat16)
	default:
		return
	}
	v.value.Release()
	v.dropped = true
}

// restore makes the value of v available again after Rematerialize.
func (v *Var) restore() {
	if v == nil || !v.dropped {
		return
	}
	v.dropped = false
	if v.packed == nil {
		v.value = v.from.recompute()()
		return
	}
	v.value = tensor.Cast(v.packed, tensor.Float32)
	v.packed.Release()
	v.packed = nil
}

// kept returns the value of v, in bfloat16 where Rematerialize left it so and nobody else wants it.
func (v *Var) kept() *tensor.Tensor {
	if v.packed != nil && !v.keep {
		return v.packed
	}
	v.restore()
	return v.value
}

// recompute returns what computes the output of the node again; nil: nothing does that cheaply.
func (n *node) recompute() func() *tensor.Tensor {
	if n.rule.recompute == nil {
		return nil
	}
	return n.rule.recompute(n)
}

// readsOutput reports whether the node's rule uses the value of its output.
func (n *node) readsOutput() bool { return n.rule.readsOutput != nil && n.rule.readsOutput(n) }
