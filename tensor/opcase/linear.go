package opcase

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor"
)

// linearOptions are those of LinearArgs; keep is the number of samples.
type linearOptions struct {
	name                                         string
	bias, gelu, residual, gamma, keep, add, over bool
	precision                                    tensor.Precision
}

var _ = family(linears)

func linears() []Case {
	options := []linearOptions{
		{name: "plain"},
		{name: "bias", bias: true},
		{name: "bias/gradients added", bias: true, add: true},
		{name: "gelu", bias: true, gelu: true},
		{name: "gelu/no bias/gradients added", gelu: true, add: true},
		{name: "residual", bias: true, residual: true},
		{name: "residual/in place", bias: true, residual: true, over: true},
		{name: "residual/keep", bias: true, residual: true, keep: true},
		{name: "residual/gamma", residual: true, gamma: true},
		{name: "residual/gamma/keep", bias: true, residual: true, gamma: true, keep: true},
		{name: "residual/gamma/keep/in place/gradients added", bias: true, residual: true, gamma: true, keep: true, over: true, add: true},
	}
	var cases []Case
	for _, s := range [][4]int{ // samples, rows of each, k, n
		{1, 0, 3, 3}, {3, 1, 0, 3}, {1, 1, 1, 1}, {3, 1, 17, 5}, {2, 17, 3, 65}, {3, 13, 65, 17}, {4, 130, 33, 65},
	} {
		for _, o := range options {
			cases = append(cases, linearCase(s[0], s[1], s[2], s[3], o))
		}
	}
	for _, i := range []int{2, 10} { // rows that a device may sum in pieces, of one length and with a rest
		cases = append(cases, linearCase(2, 1024, 7, 5, options[i]), linearCase(1, 1543, 5, 7, options[i]), linearCase(2, 1024, 0, 5, options[i]))
	}
	for _, i := range []int{2, 3, 10} {
		o := options[i]
		o.name, o.precision = "medium/"+o.name, tensor.Medium
		cases = append(cases, linearCase(4, 17, 65, 33, o), linearCase(3, 65, 192, 70, o), linearCase(1, 1543, 40, 33, o))
	}
	return append(cases, linearCase(8, 65, 192, 197, options[3]), linearCase(8, 65, 64, 192, options[9]))
}

// linearInputs finds an option's tensor or numbers among the inputs: x, w, then what is asked for, in this order.
type linearInputs[T any] struct{ x, w, bias, residual, gamma, keep T }

func (o linearOptions) pick(n int) linearInputs[int] {
	at := linearInputs[int]{x: 0, w: 1, bias: -1, residual: -1, gamma: -1, keep: -1}
	next := 2
	for _, p := range []struct {
		on bool
		at *int
	}{{o.bias, &at.bias}, {o.residual, &at.residual}, {o.gamma, &at.gamma}, {o.keep, &at.keep}} {
		if p.on {
			*p.at = next
			next++
		}
	}
	return at
}

func choose[T any](in []T, i int) T {
	var none T
	if i < 0 {
		return none
	}
	return in[i]
}

func linearCase(samples, perSample, k, n int, o linearOptions) Case {
	m := samples * perSample
	at := o.pick(n)
	inputs := []Input{f(m, k), f(n, k)}
	if o.bias {
		inputs = append(inputs, f(n))
	}
	if o.residual {
		inputs = append(inputs, f(m, n))
	}
	if o.gamma {
		inputs = append(inputs, f(n))
	}
	if o.keep {
		inputs = append(inputs, in(oneOf(0, 1.25), samples))
	}
	return Case{
		Name:   fmt.Sprintf("Linear/m=%d/k=%d/n=%d/%s", m, k, n, o.name),
		Inputs: inputs,
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			a := tensor.LinearArgs{
				X: in[0], W: in[1], Bias: choose(in, at.bias), GELU: o.gelu,
				Residual: choose(in, at.residual), Gamma: choose(in, at.gamma), Keep: choose(in, at.keep),
				Precision: o.precision,
			}
			if o.over {
				a.Residual = a.Residual.Clone()
				a.Y = a.Residual
			}
			a = tensor.Linear(a)
			if o.gelu {
				return []*tensor.Tensor{a.Y, a.Pre}
			}
			return one(a.Y)
		},
		Reference: func(in [][]float64) [][]float64 { return linearReference(in, at, m, k, n, perSample, o) },
		Backward: func(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
			return linearBackward(dev, in, out, dy, at, o)
		},
		Tolerance: productTolerance(o.precision), FLOPs: 2 * float64(m*n*k),
	}
}

func linearReference(in [][]float64, at linearInputs[int], m, k, n, perSample int, o linearOptions) [][]float64 {
	p := make([]float64, m*n)
	matmul(p, m, n, k, in[0], k, 1, in[1], 1, k)
	y := make([]float64, m*n)
	for i := range p {
		if o.bias {
			p[i] += in[at.bias][i%n]
		}
		y[i] = p[i]
		if o.gelu {
			y[i] = gelu(p[i])
		}
		if o.residual {
			scale := 1.0
			if o.gamma {
				scale *= in[at.gamma][i%n]
			}
			if o.keep {
				scale *= in[at.keep][i/n/perSample]
			}
			y[i] = in[at.residual][i] + scale*p[i]
		}
	}
	if o.gelu {
		return [][]float64{y, p}
	}
	return one(y)
}

func linearBackward(dev *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor, at linearInputs[int], o linearOptions) []*tensor.Tensor {
	a := tensor.LinearGradArgs{
		DX: gradient(dev, o.add, in[0].Shape()), DW: gradient(dev, o.add, in[1].Shape()),
		DY: dy, X: in[0], W: in[1], Bias: choose(in, at.bias), Gamma: choose(in, at.gamma), Keep: choose(in, at.keep),
		Precision: o.precision,
	}
	if o.gelu {
		a.Pre = out[1]
	}
	if o.bias {
		a.DBias = gradient(dev, o.add, in[at.bias].Shape())
	}
	if o.gamma {
		a.DGamma = gradient(dev, o.add, in[at.gamma].Shape())
	}
	tensor.LinearGrad(a)
	grads := make([]*tensor.Tensor, len(in))
	grads[0], grads[1] = taken(a.DX), taken(a.DW)
	if o.bias {
		grads[at.bias] = taken(a.DBias)
	}
	if o.residual {
		grads[at.residual] = dy
	}
	if o.gamma {
		grads[at.gamma] = taken(a.DGamma)
	}
	return grads
}
