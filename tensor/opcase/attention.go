package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

var _ = family(attentions)

func attentions() []Case {
	var cases []Case
	for _, s := range [][4]int{ // batch, tokens, heads, width of a head
		{0, 3, 1, 2}, {1, 0, 2, 3}, {1, 1, 1, 1}, {2, 3, 1, 5}, {1, 17, 2, 8}, {9, 5, 2, 3}, {2, 65, 3, 16}, {1, 197, 1, 64},
	} {
		for _, bias := range []bool{false, true} {
			cases = append(cases, attentionCase(s[0], s[1], s[2], s[3], bias, false, tensor.Highest))
		}
	}
	return append(cases, attentionCase(9, 17, 2, 4, true, true, tensor.Highest),
		attentionCase(2, 17, 2, 8, true, true, tensor.Medium), attentionCase(2, 65, 3, 16, false, false, tensor.Medium))
}

func attentionCase(b, n, h, d int, bias, add bool, p tensor.Precision) Case {
	name := fmt.Sprintf("Attention/b=%d/n=%d/h=%d/d=%d", b, n, h, d)
	inputs := []Input{in(uniform(-2, 2), b, n, 3*h*d)}
	if bias {
		inputs = append(inputs, f(h, n, n))
		name += "/bias"
	}
	if add {
		name += "/gradients added"
	}
	if p != tensor.Highest {
		name += "/" + p.String()
	}
	scale := float32(1 / math.Sqrt(float64(d)))
	return Case{
		Name:   name,
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.AttentionArgs{QKV: in[0], Heads: h, Scale: scale, Precision: p}
			if bias {
				a.Bias = in[1]
			}
			a = tensor.Attention(a)
			return []*tensor.Tensor{a.Out, a.LSE}
		},
		Reference: func(in [][]float64) [][]float64 {
			var mask []float64
			if bias {
				mask = in[1]
			}
			return attentionReference(in[0], mask, b, n, h, d, float64(scale))
		},
		Backward: func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			a := tensor.AttentionGradArgs{
				DQKV: gradient(dev, add, in[0].Shape()), DOut: dy, Out: out[0], LSE: out[1], QKV: in[0], Heads: h, Scale: scale, Precision: p,
			}
			if !bias {
				tensor.AttentionGrad(a)
				return one(taken(a.DQKV))
			}
			a.Bias, a.DBias = in[1], gradient(dev, add, in[1].Shape())
			tensor.AttentionGrad(a)
			return []*tensor.Tensor{taken(a.DQKV), taken(a.DBias)}
		},
		Tolerance: productTolerance(p), FLOPs: 4 * float64(b*h*n*n*d),
	}
}

func attentionReference(qkv, bias []float64, b, n, h, d int, scale float64) [][]float64 {
	out, lse := make([]float64, b*n*h*d), make([]float64, b*h*n)
	s := make([]float64, n)
	for i := range b {
		for head := range h {
			at := func(which, token int) []float64 { return qkv[((i*n+token)*3+which)*h*d+head*d:][:d] }
			for row := range n {
				for col := range n {
					s[col] = 0
					for e, q := range at(0, row) {
						s[col] += scale * q * at(1, col)[e]
					}
					if bias != nil {
						s[col] += bias[(head*n+row)*n+col]
					}
				}
				lse[(i*h+head)*n+row] = softmax(s, s)
				to := out[((i*n+row)*h+head)*d:]
				for col, p := range s {
					for e, v := range at(2, col) {
						to[e] += p * v
					}
				}
			}
		}
	}
	return [][]float64{out, lse}
}
