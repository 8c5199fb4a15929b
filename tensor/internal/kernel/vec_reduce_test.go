package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// vecReduction is a kernel whose results depend on the whole row.
type vecReduction struct {
	name    string
	slices  int
	outputs []int
	run     func(v *VecFuncs, s [][]float32) []float64 // the returned values
	want    func(s [][]float64) []float64              // works on s in place, returns the values
	tol     float64                                    // of the largest magnitude in the result
	loose   float64                                    // of the returned values, times scale
	scale   func(s [][]float64) float64
}

func sumOf(n int, f func(i int) float64) (sum float64) {
	for i := range n {
		sum += f(i)
	}
	return sum
}

const testShift, testEps = 1.5, 1e-6

// rowStatistics are those LayerNorm returns, as a caller of its gradients has them.
func rowStatistics(x []float64) (mean, rstd float64) {
	n := float64(len(x))
	mean = sumOf(len(x), func(i int) float64 { return x[i] }) / n
	variance := sumOf(len(x), func(i int) float64 { return (x[i] - mean) * (x[i] - mean) }) / n
	return mean, 1 / math.Sqrt(variance+testEps)
}

func vecReductions() []vecReduction {
	magnitude := func(f func(s [][]float64, i int) float64) func(s [][]float64) float64 {
		return func(s [][]float64) float64 {
			return sumOf(len(s[0]), func(i int) float64 { return math.Abs(f(s, i)) })
		}
	}
	grad := func(accumulate bool) vecReduction {
		return vecReduction{
			name: fmt.Sprintf("LayerNormGrad/accumulate=%t", accumulate), slices: 4, outputs: []int{0}, tol: 2e-6,
			run: func(v *VecFuncs, s [][]float32) []float64 {
				x := make([]float64, len(s[2]))
				for i := range x {
					x[i] = float64(s[2][i])
				}
				mean, rstd := rowStatistics(x)
				v.LayerNormGrad(s[0], s[1], s[2], s[3], float32(mean), float32(rstd), accumulate)
				return nil
			},
			want: func(s [][]float64) []float64 {
				mean, rstd := rowStatistics(s[2])
				n := len(s[0])
				hat := func(i int) float64 { return (s[2][i] - mean) * rstd }
				meanG := sumOf(n, func(i int) float64 { return s[1][i] * s[3][i] }) / float64(n)
				meanGX := sumOf(n, func(i int) float64 { return s[1][i] * s[3][i] * hat(i) }) / float64(n)
				for i := range n {
					d := rstd * (s[1][i]*s[3][i] - meanG - hat(i)*meanGX)
					if accumulate {
						d += s[0][i]
					}
					s[0][i] = d
				}
				return nil
			},
		}
	}
	return []vecReduction{
		{
			name: "Sum", slices: 1, loose: 4e-7, scale: magnitude(func(s [][]float64, i int) float64 { return s[0][i] }),
			run: func(v *VecFuncs, s [][]float32) []float64 { return []float64{float64(v.Sum(s[0]))} },
			want: func(s [][]float64) []float64 {
				return []float64{sumOf(len(s[0]), func(i int) float64 { return s[0][i] })}
			},
		},
		{
			name: "Dot", slices: 2, loose: 4e-7, scale: magnitude(func(s [][]float64, i int) float64 { return s[0][i] * s[1][i] }),
			run: func(v *VecFuncs, s [][]float32) []float64 { return []float64{float64(v.Dot(s[0], s[1]))} },
			want: func(s [][]float64) []float64 {
				return []float64{sumOf(len(s[0]), func(i int) float64 { return s[0][i] * s[1][i] })}
			},
		},
		{
			name: "SumSquares", slices: 1, loose: 1e-13, scale: magnitude(func(s [][]float64, i int) float64 { return s[0][i] * s[0][i] }),
			run: func(v *VecFuncs, s [][]float32) []float64 { return []float64{v.SumSquares(s[0])} },
			want: func(s [][]float64) []float64 {
				return []float64{sumOf(len(s[0]), func(i int) float64 { return s[0][i] * s[0][i] })}
			},
		},
		{
			name: "MaxValue", slices: 1,
			run: func(v *VecFuncs, s [][]float32) []float64 { return []float64{float64(v.MaxValue(s[0]))} },
			want: func(s [][]float64) []float64 {
				m := math.Inf(-1)
				for _, v := range s[0] {
					m = max(m, v)
				}
				return []float64{m}
			},
		},
		{
			name: "ExpSum", slices: 2, outputs: []int{0}, tol: 3e-7, loose: 6e-7,
			scale: magnitude(func(s [][]float64, i int) float64 { return s[0][i] }),
			run:   func(v *VecFuncs, s [][]float32) []float64 { return []float64{float64(v.ExpSum(s[0], s[1], testShift))} },
			want: func(s [][]float64) []float64 {
				return []float64{sumOf(len(s[0]), func(i int) float64 {
					s[0][i] = math.Exp(s[1][i] - testShift)
					return s[0][i]
				})}
			},
		},
		{
			name: "SoftmaxGrad", slices: 3, outputs: []int{0}, tol: 2e-6,
			run: func(v *VecFuncs, s [][]float32) []float64 { v.SoftmaxGrad(s[0], s[1], s[2]); return nil },
			want: func(s [][]float64) []float64 {
				dot := sumOf(len(s[0]), func(i int) float64 { return s[1][i] * s[2][i] })
				for i := range s[0] {
					s[0][i] = s[2][i] * (s[1][i] - dot)
				}
				return nil
			},
		},
		{
			name: "LayerNorm", slices: 4, outputs: []int{0}, tol: 2e-6, loose: 2e-6,
			scale: func([][]float64) float64 { return 1 },
			run: func(v *VecFuncs, s [][]float32) []float64 {
				mean, rstd := v.LayerNorm(s[0], s[1], s[2], s[3], testEps)
				return []float64{float64(mean), float64(rstd) * 1e-3}
			},
			want: func(s [][]float64) []float64 {
				mean, rstd := rowStatistics(s[1])
				for i := range s[0] {
					s[0][i] = (s[1][i]-mean)*rstd*s[2][i] + s[3][i]
				}
				return []float64{mean, rstd * 1e-3}
			},
		},
		grad(false),
		grad(true),
	}
}

func TestVecReductions(t *testing.T) {
	for _, set := range Levels() {
		for _, c := range vecReductions() {
			t.Run(fmt.Sprintf("cpu=%s/op=%s", set.Level, c.name), func(t *testing.T) {
				r := rand.New(rand.NewPCG(9, 10))
				lengths := []int{768, 1000, 3072, 8192}
				for n := range 68 {
					lengths = append(lengths, n)
				}
				for _, n := range lengths {
					if n == 0 && len(c.outputs) > 0 && c.name != "ExpSum" {
						continue // a mean of nothing
					}
					c.checkOnce(t, &set.Vec, r, n)
				}
			})
		}
	}
}

// checkOnce runs the kernel at every offset: results are right and the bits always the same.
func (c vecReduction) checkOnce(t *testing.T, v *VecFuncs, r *rand.Rand, n int) {
	t.Helper()
	start, exact := make([][]float32, c.slices), make([][]float64, c.slices)
	for j := range start {
		start[j], exact[j] = make([]float32, n), make([]float64, n)
		for i := range start[j] {
			start[j][i] = float32(r.NormFloat64())
			exact[j][i] = float64(start[j][i])
		}
	}
	values := c.want(exact)
	var first [][]float32
	for offset := range 8 {
		bands, s := make([]vecGuarded, c.slices), make([][]float32, c.slices)
		for j := range s {
			bands[j] = newVecGuarded(n, (offset+3*j)%8)
			s[j] = bands[j].slice
			copy(s[j], start[j])
		}
		got := c.run(v, s)
		for _, band := range bands {
			band.check(t)
		}
		for i := range values {
			bound := 0.0
			if c.scale != nil {
				bound = c.loose * c.scale(exact)
			}
			if got[i] != values[i] && !(math.Abs(got[i]-values[i]) <= bound) {
				t.Fatalf("n=%d: value %d is %g, want %g", n, i, got[i], values[i])
			}
			s = append(s, []float32{float32(got[i])})
		}
		for _, j := range c.outputs {
			largest := 0.0
			for _, w := range exact[j] {
				largest = max(largest, math.Abs(w))
			}
			for i, w := range exact[j] {
				if !(math.Abs(float64(s[j][i])-w) <= c.tol*max(largest, 0.1)) {
					t.Fatalf("n=%d offset=%d: slice %d at %d is %g, want %g", n, offset, j, i, s[j][i], w)
				}
			}
		}
		if first == nil {
			first = s
		}
		for j := range s {
			if !equalBits(s[j], first[j]) {
				t.Fatalf("n=%d: slice %d differs at offset %d", n, j, offset)
			}
		}
	}
}

// A row whose variance is as small as eps, around a mean that is not.
func TestVecLayerNormSmallVariance(t *testing.T) {
	const n = 768
	r := rand.New(rand.NewPCG(11, 12))
	x, w, b, y := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	exact := make([]float64, n)
	for i := range x {
		x[i] = float32(0.01 + 1e-3*r.NormFloat64())
		exact[i] = float64(x[i])
		w[i] = 1
	}
	wantMean, wantRstd := rowStatistics(exact)
	for _, set := range Levels() {
		mean, rstd := set.Vec.LayerNorm(y, x, w, b, testEps)
		if math.Abs(float64(mean)/wantMean-1) > 2e-7 || math.Abs(float64(rstd)/wantRstd-1) > 3e-7 {
			t.Errorf("cpu=%s: mean %g, rstd %g, want %g, %g", set.Level, mean, rstd, wantMean, wantRstd)
		}
		for i := range y {
			if want := (exact[i] - wantMean) * wantRstd; math.Abs(float64(y[i])-want) > 4e-6 {
				t.Fatalf("cpu=%s: y[%d] = %g, want %g", set.Level, i, y[i], want)
			}
		}
	}
}

func TestVecMaxValueSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, set := range Levels() {
		if got := set.Vec.MaxValue(nil); got != -inf {
			t.Errorf("cpu=%s: MaxValue of nothing is %g, want -Inf", set.Level, got)
		}
		for n := 1; n < 150; n += 7 {
			for at := range n {
				x := make([]float32, n)
				for i := range x {
					x[i] = -float32(i) - 1
				}
				for _, special := range []float32{float32(math.NaN()), inf, 0} {
					x[at] = special
					if got := set.Vec.MaxValue(x); got != special && (got == got || special == special) {
						t.Fatalf("cpu=%s n=%d: MaxValue with %g at %d is %g", set.Level, n, special, at, got)
					}
				}
				for _, bad := range []float32{float32(math.NaN()), inf, -inf} {
					x[at] = bad
					if got := set.Vec.SumSquares(x); got-got == 0 {
						t.Fatalf("cpu=%s n=%d: SumSquares with %g at %d is %g", set.Level, n, bad, at, got)
					}
				}
				x[at] = math.MaxFloat32
				if got := set.Vec.SumSquares(x); got-got != 0 {
					t.Fatalf("cpu=%s n=%d: SumSquares overflows", set.Level, n)
				}
			}
			x := make([]float32, n)
			for i := range x {
				x[i] = -inf
			}
			if got := set.Vec.MaxValue(x); got != -inf {
				t.Fatalf("cpu=%s n=%d: MaxValue of -Inf is %g", set.Level, n, got)
			}
		}
	}
}

func TestVecReductionsInPlace(t *testing.T) {
	for _, set := range Levels() {
		for _, c := range vecReductions() {
			if len(c.outputs) == 0 || c.name == "LayerNormGrad/accumulate=true" {
				continue
			}
			for alias := 1; alias < c.slices; alias++ {
				r := rand.New(rand.NewPCG(13, 14))
				s := make([][]float32, c.slices)
				for j := range s {
					s[j] = make([]float32, 77)
					for i := range s[j] {
						s[j][i] = float32(r.NormFloat64())
					}
				}
				shared := cloneSlices(s)
				shared[0] = shared[alias]
				c.run(&set.Vec, s)
				c.run(&set.Vec, shared)
				if !equalBits(s[0], shared[0]) {
					t.Errorf("cpu=%s op=%s: output = slice %d gives another result", set.Level, c.name, alias)
				}
			}
		}
	}
}
