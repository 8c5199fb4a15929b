package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// vecCase is a kernel that makes each output element from the input elements at its place.
type vecCase struct {
	name    string
	slices  int   // arguments in all
	outputs []int // those written; all others must stay as they are
	updates bool  // the outputs are read too
	run     func(v *VecFuncs, s [][]float32)
	want    func(e []float64) []float64 // the outputs, from one element of every slice
	input   func(r *rand.Rand) float32  // normal values when nil
	tol     float64                     // of the largest magnitude among inputs and result, or 1
}

func unaryCase(name string, pick func(*VecFuncs) func(dst, x []float32), f func(float64) float64) vecCase {
	return vecCase{
		name: name, slices: 2, outputs: []int{0}, tol: 6e-7,
		run:  func(v *VecFuncs, s [][]float32) { pick(v)(s[0], s[1]) },
		want: func(e []float64) []float64 { return []float64{f(e[1])} },
	}
}

func binaryCase(name string, pick func(*VecFuncs) func(dst, a, b []float32), f func(a, b float64) float64) vecCase {
	return vecCase{
		name: name, slices: 3, outputs: []int{0}, tol: 3e-7,
		run:  func(v *VecFuncs, s [][]float32) { pick(v)(s[0], s[1], s[2]) },
		want: func(e []float64) []float64 { return []float64{f(e[1], e[2])} },
	}
}

func positive(r *rand.Rand) float32 { return float32(math.Exp(2 * r.NormFloat64())) }

func (c vecCase) with(input func(r *rand.Rand) float32) vecCase {
	c.input = input
	return c
}

var adamStep = AdamWStep{
	LR: 1.5e-3, Decay: 0.05, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
	Correct1: 1 - 0.9*0.9*0.9, Correct2: 1 - 0.999*0.999*0.999, GradScale: 0.75,
}

func vecCases() []vecCase {
	type unary = func(dst, x []float32)
	type binary = func(dst, a, b []float32)
	const mean, rstd = float32(0.3), float32(1.7)
	return []vecCase{
		binaryCase("Add", func(v *VecFuncs) binary { return v.Add }, func(a, b float64) float64 { return a + b }),
		binaryCase("Sub", func(v *VecFuncs) binary { return v.Sub }, func(a, b float64) float64 { return a - b }),
		binaryCase("Mul", func(v *VecFuncs) binary { return v.Mul }, func(a, b float64) float64 { return a * b }),
		binaryCase("Div", func(v *VecFuncs) binary { return v.Div }, func(a, b float64) float64 { return a / b }),
		binaryCase("Max", func(v *VecFuncs) binary { return v.Max }, math.Max),
		binaryCase("Min", func(v *VecFuncs) binary { return v.Min }, math.Min),
		unaryCase("Exp", func(v *VecFuncs) unary { return v.Exp }, math.Exp),
		unaryCase("Log", func(v *VecFuncs) unary { return v.Log }, math.Log).with(positive),
		unaryCase("Tanh", func(v *VecFuncs) unary { return v.Tanh }, math.Tanh),
		unaryCase("GELU", func(v *VecFuncs) unary { return v.GELU }, exactGELU),
		unaryCase("QuickGELU", func(v *VecFuncs) unary { return v.QuickGELU }, exactQuickGELU),
		unaryCase("Sigmoid", func(v *VecFuncs) unary { return v.Sigmoid }, exactSigmoid),
		unaryCase("ReLU", func(v *VecFuncs) unary { return v.ReLU }, func(x float64) float64 { return max(x, 0) }),
		unaryCase("Sqrt", func(v *VecFuncs) unary { return v.Sqrt }, math.Sqrt).with(positive),
		binaryCase("TanhGrad", func(v *VecFuncs) binary { return v.TanhGrad }, func(dy, y float64) float64 { return dy * (1 - y*y) }),
		binaryCase("GELUGrad", func(v *VecFuncs) binary { return v.GELUGrad }, func(dy, x float64) float64 { return dy * exactGELUGrad(x) }),
		binaryCase("QuickGELUGrad", func(v *VecFuncs) binary { return v.QuickGELUGrad }, func(dy, x float64) float64 { return dy * exactQuickGELUGrad(x) }),
		binaryCase("ReLUGrad", func(v *VecFuncs) binary { return v.ReLUGrad }, func(dy, x float64) float64 {
			if x > 0 {
				return dy
			}
			return 0
		}),
		{
			name: "AddScaled", slices: 2, outputs: []int{0}, updates: true, tol: 3e-7,
			run:  func(v *VecFuncs, s [][]float32) { v.AddScaled(s[0], s[1], 1.25) },
			want: func(e []float64) []float64 { return []float64{e[0] + 1.25*e[1]} },
		},
		{
			name: "Affine", slices: 2, outputs: []int{0}, tol: 3e-7,
			run:  func(v *VecFuncs, s [][]float32) { v.Affine(s[0], s[1], 1.25, -0.5) },
			want: func(e []float64) []float64 { return []float64{1.25*e[1] - 0.5} },
		},
		{
			name: "ScaleResidual", slices: 4, outputs: []int{0}, tol: 3e-7,
			run:  func(v *VecFuncs, s [][]float32) { v.ScaleResidual(s[0], s[1], s[2], s[3], 1.25) },
			want: func(e []float64) []float64 { return []float64{e[1] + 1.25*e[3]*e[2]} },
		},
		{
			name: "LayerNormParamGrad", slices: 4, outputs: []int{0, 1}, updates: true, tol: 6e-7,
			run: func(v *VecFuncs, s [][]float32) { v.LayerNormParamGrad(s[0], s[1], s[2], s[3], mean, rstd) },
			want: func(e []float64) []float64 {
				return []float64{e[0] + e[2]*(e[3]-float64(mean))*float64(rstd), e[1] + e[2]}
			},
		},
		{
			name: "AdamW", slices: 4, outputs: []int{0, 2, 3}, updates: true, tol: 3e-7, input: positive,
			run: func(v *VecFuncs, s [][]float32) { v.AdamW(s[0], s[1], s[2], s[3], adamStep) },
			want: func(e []float64) []float64 {
				p, m, v := exactAdamW(e[0], e[1], e[2], e[3], adamStep)
				return []float64{p, m, v}
			},
		},
	}
}

func exactAdamW(p, g, m, v float64, s AdamWStep) (p1, m1, v1 float64) {
	g *= float64(s.GradScale)
	m = s.Beta1*m + (1-s.Beta1)*g
	v = s.Beta2*v + (1-s.Beta2)*g*g
	return p*(1-s.LR*s.Decay) - s.LR/s.Correct1*m/(math.Sqrt(v)/math.Sqrt(s.Correct2)+s.Eps), m, v
}

const vecGuard = 16

// vecGuarded is a slice of n elements at the offset, with a guard band on both sides.
type vecGuarded struct{ all, slice []float32 }

var vecGuardValue = math.Float32frombits(0x7fa5a5a5)

func newVecGuarded(n, offset int) vecGuarded {
	all := make([]float32, vecGuard+offset+n+vecGuard)
	for i := range all {
		all[i] = vecGuardValue
	}
	return vecGuarded{all, all[vecGuard+offset : vecGuard+offset+n]}
}

func (g vecGuarded) check(t *testing.T) {
	t.Helper()
	start := cap(g.all) - cap(g.slice)
	for i, v := range g.all {
		if (i < start || i >= start+len(g.slice)) && math.Float32bits(v) != math.Float32bits(vecGuardValue) {
			t.Fatalf("wrote outside the slice, at element %d of %d", i-start, len(g.slice))
		}
	}
}

func (c vecCase) fill(r *rand.Rand, s [][]float32) {
	for j := range s {
		for i := range s[j] {
			if c.input != nil {
				s[j][i] = c.input(r)
			} else {
				s[j][i] = float32(2 * r.NormFloat64())
			}
		}
	}
}

func cloneSlices(s [][]float32) [][]float32 {
	out := make([][]float32, len(s))
	for i := range s {
		out[i] = append([]float32{}, s[i]...)
	}
	return out
}

func equalBits(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestVecElementwise(t *testing.T) {
	for _, set := range Levels() {
		for _, c := range vecCases() {
			t.Run(fmt.Sprintf("cpu=%s/op=%s", set.Level, c.name), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				for n := range 68 {
					for offset := range 8 {
						c.checkOnce(t, &set.Vec, r, n, offset)
					}
				}
				c.checkOnce(t, &set.Vec, r, 1000, 3)
			})
		}
	}
}

func (c vecCase) checkOnce(t *testing.T, v *VecFuncs, r *rand.Rand, n, offset int) {
	t.Helper()
	bands, s := make([]vecGuarded, c.slices), make([][]float32, c.slices)
	for j := range s {
		bands[j] = newVecGuarded(n, (offset+3*j)%8)
		s[j] = bands[j].slice
	}
	c.fill(r, s)
	before := cloneSlices(s)
	c.run(v, s)
	written := map[int]bool{}
	for k, j := range c.outputs {
		written[j] = true
		for i := range n {
			e := make([]float64, c.slices)
			scale := 1.0
			for q := range e {
				e[q] = float64(before[q][i])
				scale = max(scale, math.Abs(e[q]))
			}
			want := c.want(e)[k]
			if err := math.Abs(float64(s[j][i])-want) / max(scale, math.Abs(want)); !(err <= c.tol) {
				t.Fatalf("n=%d offset=%d: slice %d at %d is %g, want %g of inputs %g", n, offset, j, i, s[j][i], want, e)
			}
		}
	}
	for j, band := range bands {
		band.check(t)
		if !written[j] && !equalBits(s[j], before[j]) {
			t.Fatalf("n=%d: input slice %d has changed", n, j)
		}
	}
}

// An element has the same bits wherever it stands and whatever the length.
func TestVecPositionIndependent(t *testing.T) {
	for _, set := range Levels() {
		for _, c := range vecCases() {
			r := rand.New(rand.NewPCG(3, 4))
			whole := make([][]float32, c.slices)
			for j := range whole {
				whole[j] = make([]float32, 131)
			}
			c.fill(r, whole)
			pieces := cloneSlices(whole)
			c.run(&set.Vec, whole)
			for lo, n := 0, 1; lo < 131; lo, n = lo+n, n%19+1 {
				part := make([][]float32, c.slices)
				for j := range part {
					part[j] = pieces[j][lo:min(lo+n, 131)]
				}
				c.run(&set.Vec, part)
			}
			for j := range whole {
				if !equalBits(whole[j], pieces[j]) {
					t.Errorf("cpu=%s op=%s: slice %d differs between one call and pieces", set.Level, c.name, j)
				}
			}
		}
	}
}

func TestVecAliasing(t *testing.T) {
	for _, set := range Levels() {
		for _, c := range vecCases() {
			if c.updates {
				continue
			}
			for alias := 1; alias < c.slices; alias++ {
				r := rand.New(rand.NewPCG(5, 6))
				s := make([][]float32, c.slices)
				for j := range s {
					s[j] = make([]float32, 77)
				}
				c.fill(r, s)
				shared := cloneSlices(s)
				shared[0] = shared[alias]
				c.run(&set.Vec, s)
				c.run(&set.Vec, shared)
				if !equalBits(s[0], shared[0]) {
					t.Errorf("cpu=%s op=%s: dst = slice %d gives another result", set.Level, c.name, alias)
				}
			}
		}
	}
}

func TestVecMaxMinNaN(t *testing.T) {
	nan := float32(math.NaN())
	for _, set := range Levels() {
		a, b, dst := []float32{nan, 1, nan, 2}, []float32{1, nan, nan, 3}, make([]float32, 4)
		set.Vec.Max(dst, a, b)
		if dst[0] == dst[0] || dst[1] == dst[1] || dst[2] == dst[2] || dst[3] != 3 {
			t.Errorf("cpu=%s: Max = %g, want NaN NaN NaN 3", set.Level, dst)
		}
		set.Vec.Min(dst, a, b)
		if dst[0] == dst[0] || dst[1] == dst[1] || dst[2] == dst[2] || dst[3] != 2 {
			t.Errorf("cpu=%s: Min = %g, want NaN NaN NaN 2", set.Level, dst)
		}
	}
}

// The update itself, apart from the weight it is subtracted from, is accurate too.
func TestVecAdamWUpdate(t *testing.T) {
	for _, set := range Levels() {
		r := rand.New(rand.NewPCG(7, 8))
		n := 1000
		p, g, m, v := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
		want := make([]float64, n)
		for i := range p {
			g[i] = float32(r.NormFloat64() * math.Pow(10, -6*r.Float64()))
			m[i] = g[i] * r.Float32()
			v[i] = g[i] * g[i] * r.Float32()
			want[i], _, _ = exactAdamW(0, float64(g[i]), float64(m[i]), float64(v[i]), adamStep)
		}
		set.Vec.AdamW(p, g, m, v, adamStep)
		for i := range p {
			if err := math.Abs(float64(p[i])/want[i] - 1); !(err < 1e-6) {
				t.Fatalf("cpu=%s: update %d is %g, want %g (%.2g off)", set.Level, i, p[i], want[i], err)
			}
		}
	}
}

func TestVecBFloat16(t *testing.T) {
	for _, set := range Levels() {
		forEachFloat(49999, func(x []float32) {
			got, want := make([]uint16, len(x)), make([]uint16, len(x))
			set.Vec.ToBFloat16(got, x)
			for i, v := range x {
				want[i] = exactBFloat16(v)
			}
			for i := range got {
				if nan := x[i] != x[i]; nan && (got[i]&0x7f80 != 0x7f80 || got[i]&0x7f == 0) || !nan && got[i] != want[i] {
					t.Fatalf("cpu=%s: ToBFloat16(%g) = %#x, want %#x", set.Level, x[i], got[i], want[i])
				}
			}
			back := make([]float32, len(x))
			set.Vec.FromBFloat16(back, got)
			for i, b := range got {
				if math.Float32bits(back[i]) != uint32(b)<<16 {
					t.Fatalf("cpu=%s: FromBFloat16(%#x) = %g", set.Level, b, back[i])
				}
			}
		})
		for n := range 68 { // lengths, under guards
			x, wide := newVecGuarded(n, n%8), newVecGuarded(n, (n+3)%8)
			for i := range x.slice {
				x.slice[i] = float32(i) + 1.0/3
			}
			half := make([]uint16, n+2)
			half[0], half[n+1] = 0xabcd, 0xabcd
			set.Vec.ToBFloat16(half[1:n+1], x.slice)
			set.Vec.FromBFloat16(wide.slice, half[1:n+1])
			x.check(t)
			wide.check(t)
			if half[0] != 0xabcd || half[n+1] != 0xabcd {
				t.Fatalf("cpu=%s n=%d: ToBFloat16 wrote outside the slice", set.Level, n)
			}
			for i, v := range x.slice {
				if want := math.Float32frombits(uint32(exactBFloat16(v)) << 16); wide.slice[i] != want {
					t.Fatalf("cpu=%s n=%d: element %d is %g, want %g", set.Level, n, i, wide.slice[i], want)
				}
			}
		}
	}
}

// exactBFloat16 picks the nearer of the two neighbours of v, the even one in the middle.
func exactBFloat16(v float32) uint16 {
	b := math.Float32bits(v)
	down, rest := uint16(b>>16), b&0xffff
	if rest > 0x8000 || rest == 0x8000 && down&1 == 1 {
		return down + 1
	}
	return down
}

func TestVecLengthsMustAgree(t *testing.T) {
	four, five := make([]float32, 4), make([]float32, 5)
	for _, set := range Levels()[1:] {
		for _, c := range vecCases() {
			for odd := range c.slices {
				s := make([][]float32, c.slices)
				for j := range s {
					s[j] = four
				}
				s[odd] = five
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("cpu=%s op=%s: slice %d of another length passed", set.Level, c.name, odd)
						}
					}()
					c.run(&set.Vec, s)
				}()
			}
		}
	}
}

func FuzzVecAgainstGeneric(f *testing.F) {
	f.Add(uint32(0), uint32(0x80000000), uint32(0x7f800000), uint8(3))
	f.Add(uint32(0x7fc00000), uint32(0xff800000), uint32(0x00000001), uint8(40))
	f.Fuzz(func(t *testing.T, a, b, c uint32, n uint8) {
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = math.Float32frombits(a + uint32(i)*b)
			y[i] = math.Float32frombits(b ^ uint32(i)*c)
		}
		got, want := make([]float32, n), make([]float32, n)
		for _, set := range Levels()[1:] {
			for _, op := range []struct {
				name      string
				got, want func(dst, a, b []float32)
			}{
				{"Add", set.Vec.Add, vecGeneric.Add}, {"Div", set.Vec.Div, vecGeneric.Div},
				{"Max", set.Vec.Max, vecGeneric.Max}, {"ReLUGrad", set.Vec.ReLUGrad, vecGeneric.ReLUGrad},
			} {
				op.got(got, x, y)
				op.want(want, x, y)
				for i := range got {
					if got[i] != want[i] && !(got[i] != got[i] && want[i] != want[i]) {
						t.Fatalf("cpu=%s: %s(%g, %g) = %g, generic %g", set.Level, op.name, x[i], y[i], got[i], want[i])
					}
				}
			}
			for k, curve := range curves(&set.Vec) {
				curve.f(got, x)
				for i, v := range x {
					want := curve.exact(float64(v))
					if inULP(got[i], want) > curve.ulp && !(math.Abs(float64(got[i])-want) <= curve.absolute) {
						t.Fatalf("cpu=%s: %s(%g) = %g, want %g", set.Level, curves(&vecGeneric)[k].name, v, got[i], want)
					}
				}
			}
		}
	})
}
