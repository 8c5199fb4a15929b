package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Fault is a kernel of a level that computes something else than its generic twin.
type Fault struct {
	Level  string
	Group  string // the kind of kernel: "elementwise", "curves", "reductions", …
	Kernel string // the field of VecFuncs, or the method of Set with its variant
	Detail string // the first difference
}

// SelfTest runs every kernel of the level on small problems, serially, and compares the results with the generic level's.
// It takes a few milliseconds and returns what differs, nil when all agree.
func (s *Set) SelfTest() []Fault {
	if s.Level == levels[0].Level {
		return nil
	}
	var faults []Fault
	compare := func(group, kernel string, tol float64, run func(*Set) [][]float32) bool {
		detail := difference(run(s), run(levels[0]), tol)
		if detail != "" {
			faults = append(faults, Fault{s.Level, group, kernel, detail})
		}
		return detail == ""
	}
	for _, c := range vecSelfTests {
		for _, n := range []int{1, 19, 67, 150} { // below one vector, whole vectors with a rest, the unrolled loop
			if !compare(c.group, c.kernel, selfTestTol, func(s *Set) [][]float32 { return c.run(&s.Vec, newVecInputs(uint64(n), n)) }) {
				break
			}
		}
	}
	for _, c := range gemmSelfTests {
		tol := selfTestTol
		if c.precision == High {
			tol = selfTestTolHigh
		}
		if c.precision == Highest || s.Supports(c.precision) {
			compare("gemm", c.name, tol, c.run)
		}
	}
	compare("lookup", "NearestCodes", 0, lookupSelfTest)
	return faults
}

// selfTestTol bounds differences in proportion to the largest result, or 1: roundings are a hundredth of it, and a wrong
// coefficient, lane or length is far above it.
const selfTestTol = 1e-5

// selfTestTolHigh is for products in pieces of bfloat16: a tenth of it is left out by design, and a missing piece is ten times it.
const selfTestTolHigh = 5e-5

// difference describes the first element of got that is not that of want; what is not finite must not be finite in both.
func difference(got, want [][]float32, tol float64) string {
	for o := range want {
		scale := 1.0
		for _, w := range want[o] {
			if a := math.Abs(float64(w)); a <= math.MaxFloat32 {
				scale = max(scale, a)
			}
		}
		for i, w := range want[o] {
			g := got[o][i]
			if finite := w-w == 0; finite != (g-g == 0) || finite && math.Abs(float64(g)-float64(w)) > tol*scale {
				return fmt.Sprintf("output %d, element %d of %d is %g, generic has %g", o, i, len(want[o]), g, w)
			}
		}
	}
	return ""
}

// vecSelfTest calls one kernel of VecFuncs and returns all that it wrote and returned.
type vecSelfTest struct {
	group, kernel string
	run           func(v *VecFuncs, x vecInputs) [][]float32
}

// vecInputs are slices of one length: a, b, c of normal numbers, p, q of positive ones around 1.
type vecInputs struct{ a, b, c, p, q []float32 }

func newVecInputs(seed uint64, n int) vecInputs {
	r := rand.New(rand.NewPCG(seed, 1))
	return vecInputs{normals(r, n), normals(r, n), normals(r, n), exponentials(r, n), exponentials(r, n)}
}

func normals(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func exponentials(r *rand.Rand, n int) []float32 {
	x := normals(r, n)
	for i, v := range x {
		x[i] = float32(math.Exp(float64(v)))
	}
	return x
}

type (
	unaryFunc  = func(dst, x []float32)
	binaryFunc = func(dst, a, b []float32)
)

func selfTestUnary(group, kernel string, pick func(*VecFuncs) unaryFunc, input func(vecInputs) []float32) vecSelfTest {
	return vecSelfTest{group, kernel, func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		pick(v)(dst, input(x))
		return [][]float32{dst}
	}}
}

func selfTestBinary(group, kernel string, pick func(*VecFuncs) binaryFunc) vecSelfTest {
	return vecSelfTest{group, kernel, func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		pick(v)(dst, x.a, x.b)
		return [][]float32{dst}
	}}
}

func anyNumber(x vecInputs) []float32 { return x.a }
func aboveZero(x vecInputs) []float32 { return x.p }

// vecSelfTests has a row for every field of VecFuncs; a test takes care that none is forgotten.
var vecSelfTests = []vecSelfTest{
	selfTestBinary("elementwise", "Add", func(v *VecFuncs) binaryFunc { return v.Add }),
	selfTestBinary("elementwise", "Sub", func(v *VecFuncs) binaryFunc { return v.Sub }),
	selfTestBinary("elementwise", "Mul", func(v *VecFuncs) binaryFunc { return v.Mul }),
	selfTestBinary("elementwise", "Max", func(v *VecFuncs) binaryFunc { return v.Max }),
	selfTestBinary("elementwise", "Min", func(v *VecFuncs) binaryFunc { return v.Min }),
	{"elementwise", "Div", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		v.Div(dst, x.a, x.p)
		return [][]float32{dst}
	}},
	{"elementwise", "AddScaled", func(v *VecFuncs, x vecInputs) [][]float32 {
		v.AddScaled(x.a, x.b, 1.25)
		return [][]float32{x.a}
	}},
	{"elementwise", "Affine", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		v.Affine(dst, x.a, 1.25, -0.5)
		return [][]float32{dst}
	}},
	{"elementwise", "ScaleResidual", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		v.ScaleResidual(dst, x.a, x.b, x.c, 1.25)
		return [][]float32{dst}
	}},
	selfTestUnary("elementwise", "ReLU", func(v *VecFuncs) unaryFunc { return v.ReLU }, anyNumber),
	selfTestUnary("elementwise", "Sqrt", func(v *VecFuncs) unaryFunc { return v.Sqrt }, aboveZero),
	selfTestBinary("elementwise", "ReLUGrad", func(v *VecFuncs) binaryFunc { return v.ReLUGrad }),
	selfTestBinary("elementwise", "TanhGrad", func(v *VecFuncs) binaryFunc { return v.TanhGrad }),

	selfTestUnary("curves", "Exp", func(v *VecFuncs) unaryFunc { return v.Exp }, anyNumber),
	selfTestUnary("curves", "Log", func(v *VecFuncs) unaryFunc { return v.Log }, aboveZero),
	selfTestUnary("curves", "Tanh", func(v *VecFuncs) unaryFunc { return v.Tanh }, anyNumber),
	selfTestUnary("curves", "GELU", func(v *VecFuncs) unaryFunc { return v.GELU }, anyNumber),
	selfTestUnary("curves", "QuickGELU", func(v *VecFuncs) unaryFunc { return v.QuickGELU }, anyNumber),
	selfTestUnary("curves", "Sigmoid", func(v *VecFuncs) unaryFunc { return v.Sigmoid }, anyNumber),
	selfTestBinary("curves", "GELUGrad", func(v *VecFuncs) binaryFunc { return v.GELUGrad }),
	selfTestBinary("curves", "QuickGELUGrad", func(v *VecFuncs) binaryFunc { return v.QuickGELUGrad }),

	{"reductions", "Sum", func(v *VecFuncs, x vecInputs) [][]float32 { return [][]float32{{v.Sum(x.a)}} }},
	{"reductions", "SumSquares", func(v *VecFuncs, x vecInputs) [][]float32 { return [][]float32{{float32(v.SumSquares(x.a))}} }},
	{"reductions", "Dot", func(v *VecFuncs, x vecInputs) [][]float32 { return [][]float32{{v.Dot(x.a, x.b)}} }},
	{"reductions", "MaxValue", func(v *VecFuncs, x vecInputs) [][]float32 { return [][]float32{{v.MaxValue(x.a)}} }},

	{"softmax", "ExpSum", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		sum := v.ExpSum(dst, x.a, 1)
		return [][]float32{dst, {sum}}
	}},
	selfTestBinary("softmax", "SoftmaxGrad", func(v *VecFuncs) binaryFunc { return v.SoftmaxGrad }),

	{"layer norm", "LayerNorm", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		mean, rstd := v.LayerNorm(dst, x.a, x.b, x.c, 1e-3)
		return [][]float32{dst, {mean}, {rstd}}
	}},
	{"layer norm", "LayerNormGrad", func(v *VecFuncs, x vecInputs) [][]float32 {
		dst := make([]float32, len(x.a))
		v.LayerNormGrad(dst, x.a, x.b, x.p, 0.3, 1.7, false)
		v.LayerNormGrad(x.c, x.a, x.b, x.p, 0.3, 1.7, true)
		return [][]float32{dst, x.c}
	}},
	{"layer norm", "LayerNormParamGrad", func(v *VecFuncs, x vecInputs) [][]float32 {
		v.LayerNormParamGrad(x.p, x.q, x.a, x.b, 0.3, 1.7)
		return [][]float32{x.p, x.q}
	}},

	{"optimizer", "AdamW", func(v *VecFuncs, x vecInputs) [][]float32 {
		// A rate so large that the update is as large as the weights.
		v.AdamW(x.a, x.b, x.c, x.p, AdamWStep{
			LR: 0.5, Decay: 0.05, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, Correct1: 0.19, Correct2: 0.02, GradScale: 0.75,
		})
		return [][]float32{x.a, x.c, x.p}
	}},

	{"bfloat16", "ToBFloat16", func(v *VecFuncs, x vecInputs) [][]float32 {
		half, dst := make([]uint16, len(x.a)), make([]float32, len(x.a))
		v.ToBFloat16(half, x.a)
		vecGeneric.FromBFloat16(dst, half)
		return [][]float32{dst}
	}},
	{"bfloat16", "FromBFloat16", func(v *VecFuncs, x vecInputs) [][]float32 {
		half, dst := make([]uint16, len(x.a)), make([]float32, len(x.a))
		vecGeneric.ToBFloat16(half, x.a)
		v.FromBFloat16(dst, half)
		return [][]float32{dst}
	}},
}

// gemmSelfTest is a product. The strides decide which operands are gathered, transposed or read in place.
type gemmSelfTest struct {
	name                   string
	m, n, k                int
	transposeA, transposeB bool
	accumulate             bool
	precision              Precision
}

// The sizes leave an incomplete tile at both edges of C, on every level.
var gemmSelfTests = []gemmSelfTest{
	{name: "MatMul", m: 47, n: 75, k: 21},
	{name: "MatMul of one row, in two blocks of K", m: 1, n: 75, k: 300},
	{name: "MatMul by a transpose", m: 47, n: 75, k: 37, transposeB: true, accumulate: true},
	{name: "MatMul of a transpose", m: 47, n: 75, k: 21, transposeA: true},
	{name: "MatMul of packed rows", m: 47, n: 520, k: 19}, // C is so wide that packing A pays
	{name: "MatMul at precision medium", m: 47, n: 75, k: 37, precision: Medium},
	{name: "MatMul by a transpose at precision medium", m: 47, n: 75, k: 37, transposeB: true, precision: Medium},
	{name: "MatMul of a transpose at precision medium", m: 47, n: 75, k: 37, transposeA: true, precision: Medium},
	{name: "MatMul at precision high", m: 47, n: 75, k: 37, accumulate: true, precision: High},
	{name: "MatMul by a transpose at precision high", m: 47, n: 75, k: 37, transposeB: true, precision: High},
	{name: "MatMul of a transpose at precision high", m: 47, n: 75, k: 37, transposeA: true, precision: High},
}

func (c gemmSelfTest) run(s *Set) [][]float32 {
	r := rand.New(rand.NewPCG(uint64(c.m*c.n), uint64(c.k)))
	g := GemmArgs{
		M: c.m, N: c.n, K: c.k, Accumulate: c.accumulate, Precision: c.precision, Serial: true,
		A: normals(r, c.m*c.k), ARow: c.k, ACol: 1,
		B: normals(r, c.k*c.n), BRow: c.n, BCol: 1,
		C: normals(r, c.m*c.n), CRow: c.n,
	}
	if c.transposeA {
		g.ARow, g.ACol = 1, c.m
	}
	if c.transposeB {
		g.BRow, g.BCol = 1, c.k
	}
	if c.precision == Medium && !s.Supports(Medium) { // what a level with bfloat16 rounds on the way
		roundBFloat16(g.A)
		roundBFloat16(g.B)
	}
	s.MatMul(g)
	return [][]float32{g.C}
}

func roundBFloat16(x []float32) {
	half := make([]uint16, len(x))
	vecGeneric.ToBFloat16(half, x)
	vecGeneric.FromBFloat16(x, half)
}

// lookupSelfTest returns the codes of 50 rows among 90; no second-nearest code is so near that rounding decides.
func lookupSelfTest(s *Set) [][]float32 {
	const m, k, d = 50, 90, 7
	r := rand.New(rand.NewPCG(m, k))
	codes, out := make([]int32, m), make([]float32, m)
	s.NearestCodes(codes, normals(r, m*d), normals(r, k*d), d)
	for i, code := range codes {
		out[i] = float32(code)
	}
	return [][]float32{out}
}
