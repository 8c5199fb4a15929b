package autograd

import (
	"fmt"
	"math"
	"testing"

	"github.com/gobeit/gobeit/tensor"
)

// Random programs on [rows, cols] values, run on a tape and, in float64 with a tangent beside each number, by the plain definition.
const rows, cols = 3, 4

// instr is one instruction of a program: an operation on earlier values.
type instr struct {
	op   string
	a, b int
	keep bool // the result is under Keep
}

var ops = []string{
	"add", "sub", "mul", "affine", "tanh", "linear", "residual", "reshape", "transpose", "swap halves", "spread", "gather", "stop",
	"straight", "checkpoint", "product",
}

// program draws n instructions on the first two values, which are the inputs. Operands are mostly recent ones, so that chains,
// diamonds and repeated operands all occur.
func program(r *tensor.Rand, n int) []instr {
	var p []instr
	for i := range n {
		pick := func() int { return max(0, i+1-r.IntN(min(i+2, 4))) }
		p = append(p, instr{op: ops[r.IntN(len(ops))], a: pick(), b: pick(), keep: r.IntN(4) == 0})
	}
	return p
}

var order = []int32{2, 0, 2}

// onTape runs p on inputs x0 and x1 with the weight w [cols, cols].
func onTape(p []instr, index *tensor.Tensor, x0, x1, w *Var) []*Var {
	vals := []*Var{x0, x1}
	for _, in := range p {
		a, b := vals[in.a], vals[in.b]
		var y *Var
		switch in.op {
		case "add":
			y = Add(a, b)
		case "sub":
			y = Sub(a, b)
		case "mul":
			y = Mul(a, b)
		case "affine":
			y = Affine(a, 0.5, 0.1)
		case "tanh":
			y = Tanh(a)
		case "linear":
			y = Linear(a, w, nil, LinearOptions{})
		case "residual":
			y = Linear(a, w, nil, LinearOptions{Residual: b})
		case "reshape":
			y = Reshape(Reshape(a, -1), rows, cols)
		case "transpose":
			y = Permute(Permute(a, 1, 0), 1, 0)
		case "swap halves":
			y = Concat(1, Slice(a, 1, cols/2, cols), Slice(b, 1, 0, cols/2))
		case "spread":
			y = Expand(Reshape(Mean(a, 0), 1, cols), rows, cols)
		case "gather":
			y = GatherRows(a, index)
		case "stop":
			y = Add(StopGradient(a), b)
		case "straight":
			y = StraightThrough(a, tensor.Unary(tensor.UnaryTanh, a.Value()))
		case "checkpoint": // uses a parameter and a value from outside besides its input
			y = Checkpoint(a, func(v *Var) *Var { return Reshape(Linear(Mul(v, b), w, nil, LinearOptions{Residual: v}), rows, cols) })
		case "product":
			y = MatMul(MatMul(a, Permute(b, 1, 0)), a)
		}
		if in.keep {
			y.Keep()
		}
		vals = append(vals, y)
	}
	return vals
}

// dual is a value and its derivative along one direction.
type dual struct{ v, d []float64 }

func newDual() dual { return dual{make([]float64, rows*cols), make([]float64, rows*cols)} }

// each applies f to pairs (value, derivative).
func each(a, b dual, f func(av, ad, bv, bd float64) (float64, float64)) dual {
	y := newDual()
	for i := range y.v {
		y.v[i], y.d[i] = f(a.v[i], a.d[i], b.v[i], b.d[i])
	}
	return y
}

func dualMul(a, b dual) dual {
	return each(a, b, func(av, ad, bv, bd float64) (float64, float64) { return av * bv, ad*bv + av*bd })
}

func dualAdd(a, b dual) dual {
	return each(a, b, func(av, ad, bv, bd float64) (float64, float64) { return av + bv, ad + bd })
}

// dualProduct is a·bᵀ, a [m, k] and b [n, k].
func dualProduct(a, b dual, m, n, k int) dual {
	y := dual{make([]float64, m*n), make([]float64, m*n)}
	for i := range m {
		for j := range n {
			for l := range k {
				y.v[i*n+j] += a.v[i*k+l] * b.v[j*k+l]
				y.d[i*n+j] += a.d[i*k+l]*b.v[j*k+l] + a.v[i*k+l]*b.d[j*k+l]
			}
		}
	}
	return y
}

// dualPick takes element from(i) for each i.
func dualPick(from func(i int) (dual, int)) dual {
	y := newDual()
	for i := range y.v {
		x, at := from(i)
		y.v[i], y.d[i] = x.v[at], x.d[at]
	}
	return y
}

// onDuals is onTape by definition. It returns the last value. The derivative is along element j of value number at.
func onDuals(p []instr, x0, x1, w dual, at, j int) dual {
	vals := []dual{x0, x1}
	linear := func(x dual) dual { return dualProduct(x, w, rows, cols, cols) }
	for _, in := range p {
		a, b := vals[in.a], vals[in.b]
		var y dual
		switch in.op {
		case "add":
			y = dualAdd(a, b)
		case "sub":
			y = each(a, b, func(av, ad, bv, bd float64) (float64, float64) { return av - bv, ad - bd })
		case "mul":
			y = dualMul(a, b)
		case "affine":
			y = each(a, a, func(av, ad, _, _ float64) (float64, float64) { return av*0.5 + 0.1, ad * 0.5 })
		case "tanh":
			y = each(a, a, func(av, ad, _, _ float64) (float64, float64) {
				t := math.Tanh(av)
				return t, ad * (1 - t*t)
			})
		case "linear":
			y = linear(a)
		case "residual":
			y = dualAdd(b, linear(a))
		case "reshape", "transpose":
			y = a
		case "swap halves":
			y = dualPick(func(i int) (dual, int) {
				if i%cols < cols/2 {
					return a, i + cols/2
				}
				return b, i - cols/2
			})
		case "spread":
			y = newDual()
			for i := range y.v {
				for r := range rows {
					y.v[i] += a.v[r*cols+i%cols] / rows
					y.d[i] += a.d[r*cols+i%cols] / rows
				}
			}
		case "gather":
			y = dualPick(func(i int) (dual, int) { return a, int(order[i/cols])*cols + i%cols })
		case "stop":
			y = each(a, b, func(av, _, bv, bd float64) (float64, float64) { return av + bv, bd })
		case "straight":
			y = each(a, a, func(av, ad, _, _ float64) (float64, float64) { return math.Tanh(av), ad })
		case "checkpoint":
			y = dualAdd(a, linear(dualMul(a, b)))
		case "product":
			y = dualProduct(dualProduct(a, b, rows, rows, cols), transposed(a), rows, cols, rows)
		}
		if len(vals) == at {
			y = dual{y.v, make([]float64, len(y.v))}
			y.d[j] = 1
		}
		vals = append(vals, y)
	}
	return vals[len(vals)-1]
}

func transposed(a dual) dual {
	y := newDual()
	for i := range y.v {
		at := i%rows*cols + i/rows
		y.v[i], y.d[i] = a.v[at], a.d[at]
	}
	return y
}

// TestRandomGraphs compares gradients of random programs with forward-mode derivatives in float64: repeated operands, diamonds, gradients
// that are handed on without a copy and then added to, and values under Keep, in a pool that fills released memory with NaN.
func TestRandomGraphs(t *testing.T) {
	dev := tensor.CPULevel(tensor.CPULevels()[0])
	dev.SetPoison(true)
	index := tensor.FromInts(dev, order, rows)
	in := [3]*tensor.Tensor{random(dev, 1, -1, 1, rows, cols), random(dev, 2, -1, 1, rows, cols), random(dev, 3, -0.5, 0.5, cols, cols)}
	weights := random(dev, 4, -1, 1, rows, cols)
	dw := tensor.Zeros(dev, cols, cols)
	tape := NewTape(dev)
	var before int64
	for seed := range uint64(400) {
		p := program(tensor.NewRand(seed), 2+int(seed%12))
		dw.Fill(1) // gradients are added to what is there
		x0, x1 := tape.Leaf(in[0]), tape.Leaf(in[1])
		vals := onTape(p, index, x0, x1, tape.Param(in[2], dw))
		y := vals[len(vals)-1]
		if y.NeedsGrad() {
			tape.BackwardFrom(y, weights.Clone())
		}
		check := func(of int, g *tensor.Tensor, offset float64) {
			got := make([]float32, rows*cols)
			if g != nil {
				got = g.Float32s()
			}
			for j, v := range got {
				want := offset + derivative(p, in, weights.Float32s(), of, j)
				if d := math.Abs(float64(v) - want); !(d <= 2e-4*(1+math.Abs(want))) {
					t.Fatalf("program %d %s\nvalue %d (-1: w), element %d: gradient %v, want %v", seed, listing(p), of, j, v, want)
				}
			}
		}
		check(0, x0.Grad(), 0)
		check(1, x1.Grad(), 0)
		check(-1, dw.Slice(0, 0, rows), 1)
		for i, v := range vals[2:] {
			if p[i].keep {
				check(i+2, v.Grad(), 0)
			}
		}
		tape.Reset()
		if now := dev.MemStats().InUse; seed == 0 {
			before = now
		} else if now != before {
			t.Fatalf("program %d %s\n%d bytes in use after Reset, were %d", seed, listing(p), now, before)
		}
	}
}

// derivative returns that of Σ weights·p(in) along element j of value number at, or of w when at is -1.
func derivative(p []instr, in [3]*tensor.Tensor, weights []float32, at, j int) float64 {
	var x [3]dual
	for i, t := range in {
		for _, v := range t.Float32s() {
			x[i].v, x[i].d = append(x[i].v, float64(v)), append(x[i].d, 0)
		}
	}
	if at < 2 {
		x[(at+3)%3].d[j] = 1
	}
	sum := 0.0
	for k, d := range onDuals(p, x[0], x[1], x[2], at, j).d {
		sum += float64(weights[k]) * d
	}
	return sum
}

func listing(p []instr) string {
	s := ""
	for i, in := range p {
		s += fmt.Sprintf("\n  %%%d = %s %%%d %%%d", i+2, in.op, in.a, in.b)
		if in.keep {
			s += " keep"
		}
	}
	return s
}
