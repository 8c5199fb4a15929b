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
		{0, 3, 1, 2}, {1, 0, 2, 3}, {1, 1, 1, 1}, {2, 3, 1, 5}, {1, 17, 2, 8}, {9, 5, 2, 3}, {2, 65, 3, 16}, {1, 197, 1, 64}, {1, 33, 2, 70},
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
	crossed                   bool // cross made it
}

// self is a case whose queries, keys and values are one tensor.
func (a attention) self() Case {
	return a.build(fmt.Sprintf("Attention/b=%d/n=%d/h=%d/d=%d", a.b, a.nq, a.h, a.d), in(uniform(-2, 2), a.b, a.nq, 3*a.h*a.d))
}

// cross is a case with keys other than the queries.
func (a attention) cross() Case {
	a.crossed = true
	return a.build(fmt.Sprintf("Attention/b=%d/queries=%d/keys=%d/h=%d/d=%d", a.b, a.nq, a.nk, a.h, a.d),
		in(uniform(-2, 2), a.b, a.nq, a.h*a.d), in(uniform(-2, 2), a.b, a.nk, 2*a.h*a.d))
}

// build has the inputs qkv, or q and kv, then a bias and a key mask where a says so.
func (a attention) build(name string, inputs ...Input) Case {
	for _, option := range []struct {
		on   bool
		name string
	}{{a.bias, "/bias"}, {a.masked, "/key mask"}, {a.causal, "/causal"}, {a.add, "/gradients added"}} {
		if option.on {
			name += option.name
		}
	}
	if a.bias {
		inputs = append(inputs, f(a.h, a.nq, a.nk))
	}
	if a.masked {
		inputs = append(inputs, in(a.maskOf, a.b, a.nk))
	}
	return Case{
		Name:   name + suffix(a.p),
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			y := tensor.Attention(a.args(in))
			return []*tensor.Tensor{y.Out, y.LSE}
		},
		Reference: func(in [][]float64) [][]float64 {
			q, k, v := a.parts(in)
			bias, mask := options(a, in)
			return a.reference(q, k, v, bias, mask)
		},
		Backward:  a.backward,
		Tolerance: productTolerance(a.p), FLOPs: 4 * float64(a.b*a.h*a.nq*a.nk*a.d),
	}
}

// options are the bias and the key mask among the inputs of a case, nil where it has none.
func options[T any](a attention, in []T) (bias, mask T) {
	rest := in[1:]
	if a.crossed {
		rest = in[2:]
	}
	if a.bias {
		bias, rest = rest[0], rest[1:]
	}
	if a.masked {
		mask = rest[0]
	}
	return bias, mask
}

// args are the arguments of Attention for the inputs of a case.
func (a attention) args(in []*tensor.Tensor) tensor.AttentionArgs {
	x := tensor.AttentionArgs{Heads: a.h, Scale: a.scale(), Causal: a.causal, Precision: a.p}
	x.Bias, x.KeyMask = options(a, in)
	if a.crossed {
		x.Q, x.KV = in[0], in[1]
	} else {
		x.QKV = in[0]
	}
	return x
}

func (a attention) scale() float32 { return float32(1 / math.Sqrt(float64(a.d))) }

// maskOf hides about a third of the keys, and in the second sample all.
func (a attention) maskOf(r *tensor.Rand, i int) float64 {
	if r.IntN(3) == 0 || i/a.nk == 1 {
		return 0
	}
	return 1
}

func (a attention) backward(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
	x := a.args(in)
	g := tensor.AttentionGradArgs{
		DOut: dy, Out: out[0], LSE: out[1], QKV: x.QKV, Q: x.Q, KV: x.KV, Bias: x.Bias, KeyMask: x.KeyMask,
		Heads: a.h, Scale: x.Scale, Causal: a.causal, Precision: a.p,
	}
	var to []*tensor.Grad
	if a.crossed {
		to = append(to, &g.DQ, &g.DKV)
	} else {
		to = append(to, &g.DQKV)
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

// parts are q, k and v of the inputs.
func (a attention) parts(in [][]float64) (q, k, v at) {
	w := a.h * a.d
	part := func(x []float64, n, width, from int) at {
		return func(sample, row, head int) []float64 { return x[(sample*n+row)*width+from+head*a.d:][:a.d] }
	}
	if !a.crossed {
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
