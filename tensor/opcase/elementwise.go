package opcase

import (
	"fmt"
	"math"

	"github.com/gobeit/gobeit/tensor"
)

// mapped applies g to each element.
func mapped(g func(x float64) float64) func(in [][]float64) [][]float64 {
	return func(in [][]float64) [][]float64 {
		y := make([]float64, len(in[0]))
		for i, x := range in[0] {
			y[i] = g(x)
		}
		return one(y)
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// lerpCase has a second output, what the result lacks to that of the two operations whose bytes it must have: nothing.
func lerpCase(n int) Case {
	const d = 0.9996
	return Case{
		Name:   fmt.Sprintf("Lerp/n=%d", n),
		Inputs: []Input{f(n), f(n)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst, decay := in[0].Clone(), d
			tensor.Lerp(dst, in[1], decay)
			composed := tensor.Affine(in[0], float32(decay), 0)
			tensor.AddScaled(composed, in[1], float32(1-decay))
			return []*tensor.Tensor{dst, tensor.Sub(composed, dst)}
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, n)
			for i := range y {
				y[i] = d*in[0][i] + (1-d)*in[1][i]
			}
			return [][]float64{y, make([]float64, n)}
		},
		Tolerance: 1e-6, FLOPs: float64(3 * n),
	}
}

func gelu(x float64) float64 { return x * 0.5 * math.Erfc(-x/math.Sqrt2) }

var unaries = []struct {
	name string
	op   tensor.UnaryOp
	x    Gen
	f    func(float64) float64
}{
	{"exp", tensor.UnaryExp, uniform(-6, 3), math.Exp},
	{"log", tensor.UnaryLog, uniform(0.1, 4), math.Log},
	{"sqrt", tensor.UnarySqrt, uniform(0.1, 4), math.Sqrt},
	{"tanh", tensor.UnaryTanh, uniform(-2.5, 2.5), math.Tanh},
	{"sigmoid", tensor.UnarySigmoid, uniform(-5, 3), sigmoid},
	{"gelu", tensor.UnaryGELU, uniform(-6, 6), gelu},
	{"quickgelu", tensor.UnaryQuickGELU, uniform(-6, 6), func(x float64) float64 { return x * sigmoid(1.702*x) }},
	{"relu", tensor.UnaryReLU, awayFromZero, func(x float64) float64 { return max(x, 0) }},
	{"abs", tensor.UnaryAbs, awayFromZero, math.Abs},
}

// awayFromZero keeps central differences on one side of a kink at 0.
func awayFromZero(r *tensor.Rand, _ int) float64 {
	x := r.Uniform(-2, 2)
	return x + math.Copysign(0.01, x)
}

var _ = family(elementwise)

func elementwise() []Case {
	var cases []Case
	for _, u := range unaries {
		for _, n := range sizes {
			cases = append(cases, Case{
				Name:   fmt.Sprintf("Unary/op=%s/n=%d", u.name, n),
				Inputs: []Input{in(u.x, n)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Unary(u.op, in[0]))
				},
				Reference: mapped(u.f),
				Backward: func(_ *tensor.Device, in, out []*tensor.Tensor, dy *tensor.Tensor) []*tensor.Tensor {
					x, y := in[0], out[0]
					needsX, needsY := u.op.Needs()
					if !needsX {
						x = nil
					}
					if !needsY {
						y = nil
					}
					return one(tensor.UnaryGrad(u.op, dy, x, y))
				},
				Tolerance: 2e-6, FLOPs: float64(4 * n),
			})
		}
	}
	for _, n := range sizes {
		cases = append(cases,
			Case{
				Name:   fmt.Sprintf("Affine/n=%d", n),
				Inputs: []Input{f(n)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Affine(in[0], -1.5, 0.25))
				},
				Reference: mapped(func(x float64) float64 { return -1.5*x + 0.25 }),
				Tolerance: 1e-6, FLOPs: float64(2 * n),
			},
			Case{
				Name:   fmt.Sprintf("AddScaled/n=%d", n),
				Inputs: []Input{f(n), f(n)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					dst := in[0].Clone()
					tensor.AddScaled(dst, in[1], -0.75)
					return one(dst)
				},
				Reference: func(in [][]float64) [][]float64 {
					y := make([]float64, n)
					for i := range y {
						y[i] = in[0][i] - 0.75*in[1][i]
					}
					return one(y)
				},
				Tolerance: 1e-6, FLOPs: float64(2 * n),
			},
			lerpCase(n),
		)
	}
	return cases
}

// whole are numbers of which many pairs are equal.
var whole = oneOf(-2, -1, 0, 1, 2)

var binaries = []struct {
	name string
	op   tensor.BinaryOp
	f    func(a, b float64) float64
	a, b Gen
}{
	{"add", tensor.BinaryAdd, func(a, b float64) float64 { return a + b }, uniform(-1, 1), uniform(0.5, 2)},
	{"sub", tensor.BinarySub, func(a, b float64) float64 { return a - b }, uniform(-1, 1), uniform(0.5, 2)},
	{"mul", tensor.BinaryMul, func(a, b float64) float64 { return a * b }, uniform(-1, 1), uniform(0.5, 2)},
	{"div", tensor.BinaryDiv, func(a, b float64) float64 { return a / b }, uniform(-1, 1), uniform(0.5, 2)},
	{"max", tensor.BinaryMax, math.Max, uniform(-1, 2), uniform(-1, 2)},
	{"min", tensor.BinaryMin, math.Min, uniform(-1, 2), uniform(-1, 2)},
	{"pow", tensor.BinaryPow, math.Pow, uniform(0, 3), uniform(-3, 3)},
	{"pow of whole numbers", tensor.BinaryPow, math.Pow, whole, whole},
	{"greater", tensor.BinaryGreater, oneIf(func(a, b float64) bool { return a > b }), whole, whole},
	{"greater or equal", tensor.BinaryGreaterEqual, oneIf(func(a, b float64) bool { return a >= b }), whole, whole},
	{"equal", tensor.BinaryEqual, oneIf(func(a, b float64) bool { return a == b }), whole, whole},
	{"not equal", tensor.BinaryNotEqual, oneIf(func(a, b float64) bool { return a != b }), whole, whole},
}

// oneIf is 1 where a comparison holds, else 0.
func oneIf(holds func(a, b float64) bool) func(a, b float64) float64 {
	return func(a, b float64) float64 {
		if holds(a, b) {
			return 1
		}
		return 0
	}
}

var _ = family(binary)

// binary has operands of every broadcast form.
func binary() []Case {
	var cases []Case
	pairs := [][2][]int{
		{{17, 65}, {65}}, {{65}, {17, 65}}, {{17, 65}, {17, 1}}, {{17, 65}, {}}, {{1, 17}, {65, 1}}, {{3, 17, 5}, {17, 1}},
		{{3, 1, 5}, {1, 17, 1}}, {{2, 3, 0}, {3, 1}}, {{33001}, {1}}, {{520, 197}, {197}}, {{520, 197}, {520, 1}},
	}
	for _, n := range sizes {
		pairs = append(pairs, [2][]int{{n}, {n}})
	}
	for _, b := range binaries {
		tolerance := 1e-6
		if b.op == tensor.BinaryPow {
			tolerance = 4e-6 // an error of the logarithm counts b times
		}
		for _, p := range pairs {
			cases = append(cases, Case{
				Name:   fmt.Sprintf("Binary/op=%s/a=%v/b=%v", b.name, p[0], p[1]),
				Inputs: []Input{in(b.a, p[0]...), in(b.b, p[1]...)},
				Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
					return one(tensor.Binary(b.op, in[0], in[1]))
				},
				Reference: func(in [][]float64) [][]float64 { return one(broadcast(p[0], p[1], in[0], in[1], b.f)) },
				Tolerance: tolerance,
			})
		}
	}
	cases = append(cases, Case{
		Name:   "Binary/op=sub/transposed",
		Inputs: []Input{f(65, 17), f(17, 65)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			return one(tensor.Sub(in[0].T(), in[1]))
		},
		Reference: func(in [][]float64) [][]float64 {
			y := make([]float64, 17*65)
			for i := range y {
				y[i] = in[0][i%65*17+i/65] - in[1][i]
			}
			return one(y)
		},
		Tolerance: 1e-6,
	}, Case{
		Name:   "Binary/op=add/in place",
		Inputs: []Input{f(17, 65), f(65)},
		Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
			dst := in[0].Clone()
			tensor.BinaryInto(dst, tensor.BinaryAdd, dst, in[1])
			return one(dst)
		},
		Reference: func(in [][]float64) [][]float64 {
			return one(broadcast([]int{17, 65}, []int{65}, in[0], in[1], func(a, b float64) float64 { return a + b }))
		},
		Tolerance: 1e-6,
	})
	return cases
}

// broadcast applies g to a and b as numpy would.
func broadcast(as, bs []int, a, b []float64, g func(a, b float64) float64) []float64 {
	rank := max(len(as), len(bs))
	pad := func(s []int) []int {
		p := make([]int, rank)
		for i := range p {
			p[i] = 1
		}
		copy(p[rank-len(s):], s)
		return p
	}
	as, bs = pad(as), pad(bs)
	shape := make([]int, rank)
	for i := range shape {
		shape[i] = as[i]
		if as[i] == 1 {
			shape[i] = bs[i]
		}
	}
	y := make([]float64, tensor.Shape(shape).Size())
	for i := range y {
		ia, ib, na, nb, rest := 0, 0, 1, 1, i
		for axis := rank - 1; axis >= 0; axis-- {
			at := rest % shape[axis]
			rest /= shape[axis]
			ia += at % as[axis] * na
			ib += at % bs[axis] * nb
			na, nb = na*as[axis], nb*bs[axis]
		}
		y[i] = g(a[ia], b[ib])
	}
	return y
}

var _ = family(wheres)

// wheres choose between operands of every broadcast form.
func wheres() []Case {
	forms := [][3][]int{
		{{17, 65}, {17, 65}, {17, 65}}, {{65}, {17, 65}, {17, 1}}, {{17, 1}, {65}, {}}, {{3, 17, 5}, {17, 1}, {1}}, {{520, 197}, {197}, {520, 1}},
		{{2, 3, 0}, {3, 1}, {1}}, {{33001}, {1}, {33001}},
	}
	for _, n := range sizes {
		forms = append(forms, [3][]int{{n}, {n}, {n}})
	}
	var cases []Case
	for _, p := range forms {
		cases = append(cases, Case{
			Name:   fmt.Sprintf("Where/cond=%v/a=%v/b=%v", p[0], p[1], p[2]),
			Inputs: []Input{in(oneOf(0, 1, -3), p[0]...), f(p[1]...), f(p[2]...)},
			Forward: func(_ *tensor.Device, in []*tensor.Tensor) []*tensor.Tensor {
				return one(tensor.Where(in[0], in[1], in[2]))
			},
			Reference: func(in [][]float64) [][]float64 {
				first := func(a, _ float64) float64 { return a }
				shape, _ := tensor.Broadcast(p[0], p[1])
				shape, _ = tensor.Broadcast(shape, p[2])
				zeros := make([]float64, tensor.Shape(shape).Size())
				spread := func(i int) []float64 { return broadcast(p[i], shape, in[i], zeros, first) }
				cond, a, b := spread(0), spread(1), spread(2)
				for i, q := range cond {
					if q != 0 {
						b[i] = a[i]
					}
				}
				return one(b)
			},
		})
	}
	return cases
}
