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
			cases = append(cases, attention{b: s[0], nq: s[1], nk: s[1], h: s[2], d: s[3], bias: bias}.self())
		}
	}
	cases = append(cases,
		attention{b: 9, nq: 17, nk: 17, h: 2, d: 4, bias: true, add: true}.self(),
		attention{b: 2, nq: 17, nk: 17, h: 2, d: 8, bias: true, p: tensor.Medium, add: true}.self(),
		attention{b: 2, nq: 65, nk: 65, h: 3, d: 16, p: tensor.Medium}.self())
	for _, s := range [][3]int{{1, 1, 1}, {2, 33, 8}, {3, 65, 5}, {1, 300, 16}} {
		for _, masked := range []bool{false, true} {
			cases = append(cases, attention{b: s[0], nq: s[1], nk: s[1], h: 2, d: s[2], bias: s[1] > 33, masked: masked, causal: true}.self())
		}
	}
	cases = append(cases,
		attention{b: 3, nq: 33, nk: 33, h: 2, d: 5, masked: true}.self(),
		attention{b: 3, nq: 150, nk: 150, h: 1, d: 4, bias: true, masked: true, causal: true, add: true}.self())
	for _, s := range [][4]int{{2, 3, 0, 2}, {2, 0, 3, 2}, {2, 1, 5, 1}, {3, 33, 7, 5}, {2, 7, 65, 16}, {9, 17, 40, 8}} { // batch, queries, keys, width
		cases = append(cases,
			attention{b: s[0], nq: s[1], nk: s[2], h: 2, d: s[3]}.cross(),
			attention{b: s[0], nq: s[1], nk: s[2], h: 2, d: s[3], bias: true, masked: true, add: s[3] == 8}.cross())
	}
	return append(cases, attention{b: 2, nq: 130, nk: 130, h: 2, d: 8, causal: true}.cross())
}

// attention is one use of Attention: batch, queries, keys, heads, width of a head, and options. With add, gradients are added.
type attention struct {
	b, nq, nk, h, d           int
	bias, masked, causal, add bool
	p                         tensor.Precision
}

// self is a case whose queries, keys and values are one tensor.
func (a attention) self() Case {
	return a.build(fmt.Sprintf("Attention/b=%d/n=%d/h=%d/d=%d", a.b, a.nq, a.h, a.d), in(uniform(-2, 2), a.b, a.nq, 3*a.h*a.d))
}

// cross is a case with keys other than the queries.
func (a attention) cross() Case {
	return a.build(fmt.Sprintf("Attention/b=%d/queries=%d/keys=%d/h=%d/d=%d", a.b, a.nq, a.nk, a.h, a.d),
		in(uniform(-2, 2), a.b, a.nq, a.h*a.d), in(uniform(-2, 2), a.b, a.nk, 2*a.h*a.d))
}

// build has the inputs qkv, or q and kv, then a bias and a key mask where a says so.
func (a attention) build(name string, inputs ...Input) Case {
	biasAt, maskAt := len(inputs), len(inputs)
	if a.bias {
		inputs = append(inputs, f(a.h, a.nq, a.nk))
		name += "/bias"
		maskAt++
	}
	if a.masked {
		inputs = append(inputs, in(a.maskOf, a.b, a.nk))
		name += "/key mask"
	}
	if a.causal {
		name += "/causal"
	}
	if a.add {
		name += "/gradients added"
	}
	if a.p != tensor.Highest {
		name += "/" + a.p.String()
	}
	self := biasAt == 1
	args := func(in []*tensor.Tensor) tensor.AttentionArgs {
		x := tensor.AttentionArgs{Heads: a.h, Scale: a.scale(), Causal: a.causal, Precision: a.p}
		if self {
			x.QKV = in[0]
		} else {
			x.Q, x.KV = in[0], in[1]
		}
		if a.bias {
			x.Bias = in[biasAt]
		}
		if a.masked {
			x.KeyMask = in[maskAt]
		}
		return x
	}
	return Case{
		Name:   name,
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			y := tensor.Attention(args(in))
			return []*tensor.Tensor{y.Out, y.LSE}
		},
		Reference: func(in [][]float64) [][]float64 {
			q, k, v := a.parts(in, self)
			var bias, mask []float64
			if a.bias {
				bias = in[biasAt]
			}
			if a.masked {
				mask = in[maskAt]
			}
			return a.reference(q, k, v, bias, mask)
		},
		Backward: func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return a.backward(dev, args(in), in, out, dy)
		},
		Tolerance: productTolerance(a.p), FLOPs: 4 * float64(a.b*a.h*a.nq*a.nk*a.d),
	}
}

func (a attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.d))) }

// maskOf hides about a third of the keys, and in the second sample all.
func (a attention) maskOf(r *tensor.Rand, i int) float64 {
	if r.IntN(3) == 0 || i/a.nk == 1 {
		return 0
	}
	return 1
}

func (a attention) backward(dev *tensor.Device, x tensor.AttentionArgs, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
	g := tensor.AttentionGradArgs{
		DOut: dy, Out: out[0], LSE: out[1], QKV: x.QKV, Q: x.Q, KV: x.KV, Bias: x.Bias, KeyMask: x.KeyMask,
		Heads: a.h, Scale: x.Scale, Causal: a.causal, Precision: a.p,
	}
	var to []*tensor.Grad
	if x.QKV != nil {
		to = append(to, &g.DQKV)
	} else {
		to = append(to, &g.DQ, &g.DKV)
	}
	if a.bias {
		to = append(to, &g.DBias)
	}
	for i, t := range to {
		*t = gradient(dev, a.add, in[i].Shape())
	}
	tensor.AttentionGrad(g)
	grads := make([]*tensor.Tensor, len(in)) // nil for the mask
	for i, t := range to {
		grads[i] = taken(*t)
	}
	return grads
}

// at finds the D elements of one row of a head.
type at func(sample, row, head int) []float64

// parts are q, k and v of the inputs, of which self has one.
func (a attention) parts(in [][]float64, self bool) (q, k, v at) {
	w := a.h * a.d
	part := func(x []float64, n, width, from int) at {
		return func(sample, row, head int) []float64 { return x[(sample*n+row)*width+from+head*a.d:][:a.d] }
	}
	if self {
		return part(in[0], a.nq, 3*w, 0), part(in[0], a.nq, 3*w, w), part(in[0], a.nq, 3*w, 2*w)
	}
	return part(in[0], a.nq, w, 0), part(in[1], a.nk, 2*w, 0), part(in[1], a.nk, 2*w, w)
}

// reference computes the output and the logarithm of each softmax denominator. bias and mask may be nil.
func (a attention) reference(q, k, v at, bias, mask []float64) [][]float64 {
	out, lse := make([]float64, a.b*a.nq*a.h*a.d), make([]float64, a.b*a.h*a.nq)
	s := make([]float64, a.nk)
	for i := range a.b {
		for head := range a.h {
			for row := range a.nq {
				seen := 0
				for col := range a.nk {
					s[col] = math.Inf(-1)
					if mask != nil && mask[i*a.nk+col] == 0 || a.causal && col > row {
						continue
					}
					seen++
					s[col] = 0
					for e, x := range q(i, row, head) {
						s[col] += float64(a.scale()) * x * k(i, col, head)[e]
					}
					if bias != nil {
						s[col] += bias[(head*a.nq+row)*a.nk+col]
					}
				}
				if seen == 0 {
					lse[(i*a.h+head)*a.nq+row] = math.Inf(-1)
					continue
				}
				lse[(i*a.h+head)*a.nq+row] = softmax(s, s)
				to := out[((i*a.nq+row)*a.h+head)*a.d:]
				for col, p := range s {
					for e, x := range v(i, col, head) {
						to[e] += p * x
					}
				}
			}
		}
	}
	return [][]float64{out, lse}
}
