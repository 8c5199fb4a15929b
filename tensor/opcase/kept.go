package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// CheckKept compares what operations make of tensors that were kept in BFloat16 with what they make of the same numbers in Float32: all bits are equal.
func CheckKept(dev *tensor.Device) error {
	for _, c := range []struct {
		name string
		run  func(dev *tensor.Device, kept *tensor.Tensor) []*tensor.Tensor
		kept Input
	}{
		{"Unary", keptInput, in(uniform(-6, 6), 7, 33)},
		{"LinearGrad", keptPre, in(uniform(-6, 6), 7, 33)},
		{"AttentionGrad", attention{b: 3, nq: 37, nk: 37, h: 2, d: 5, p: tensor.Medium}.kept, in(uniform(-2, 2), 3, 37, 30)},
		{"AttentionGrad", attention{b: 5, nq: 66, nk: 66, h: 1, d: 7, bias: true, masked: true, causal: true, add: true}.kept, in(uniform(-2, 2), 5, 66, 21)},
	} {
		for _, offset := range []int{0, 3} {
			values := c.kept.values(tensor.NewRand(1, uint64(offset)))
			kept := tensor.Cast(upload(dev, c.kept, values, 0), tensor.BFloat16)
			room := tensor.NewOf(dev, tensor.BFloat16, offset+kept.Size())
			there := room.Slice(0, offset, offset+kept.Size()).Reshape(kept.Shape()...)
			tensor.CopyInto(there, kept)
			got, want := c.run(dev, there), c.run(dev, tensor.Cast(kept, tensor.Float32))
			for i := range want {
				g, w := got[i].Float32s(), want[i].Float32s()
				for j := range w {
					if math.Float32bits(g[j]) != math.Float32bits(w[j]) {
						return fmt.Errorf("%s on %s, at offset %d: element %d of result %d is %g, want %g", c.name, dev.Name(), offset, j, i, g[j], w[j])
					}
				}
			}
		}
	}
	return nil
}

func keptInput(_ *tensor.Device, x *tensor.Tensor) []*tensor.Tensor { return one(tensor.GELU(x)) }

// keptPre returns the gradients of a Linear with GELU that saved pre [M, N].
func keptPre(dev *tensor.Device, pre *tensor.Tensor) []*tensor.Tensor {
	const k = 5
	m, n := pre.Dim(0), pre.Dim(1)
	r := tensor.NewRand(2)
	g := tensor.LinearGradArgs{
		DX: gradient(dev, false, []int{m, k}), DW: gradient(dev, false, []int{n, k}), DBias: gradient(dev, false, []int{n}), Pre: pre,
		DY: upload(dev, f(m, n), f(m, n).values(r), 0), X: upload(dev, f(m, k), f(m, k).values(r), 0), W: upload(dev, f(n, k), f(n, k).values(r), 0),
	}
	tensor.LinearGrad(g)
	return []*tensor.Tensor{g.DX.To, g.DW.To, g.DBias.To}
}

// kept returns the gradients of attention with qkv, whose output is that of these numbers in Float32.
func (a attention) kept(dev *tensor.Device, qkv *tensor.Tensor) []*tensor.Tensor {
	whole := qkv
	if qkv.DType() != tensor.Float32 {
		whole = tensor.Cast(qkv, tensor.Float32)
	}
	r := tensor.NewRand(3)
	in := []*tensor.Tensor{whole}
	if a.bias {
		in = append(in, upload(dev, f(a.h, a.nq, a.nk), f(a.h, a.nq, a.nk).values(r), 0))
	}
	if a.masked {
		mask := Input{Shape: []int{a.b, a.nk}, Gen: a.maskOf}
		in = append(in, upload(dev, mask, mask.values(r), 0))
	}
	y := tensor.Attention(a.args(in))
	dy := upload(dev, f(y.Out.Shape()...), f(y.Out.Shape()...).values(r), 0)
	in[0] = qkv
	grads := a.backward(dev, in, []*tensor.Tensor{y.Out, y.LSE}, dy)
	if a.masked {
		grads = grads[:len(grads)-1] // there is none of the mask
	}
	return grads
}
