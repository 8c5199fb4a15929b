package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

// normal returns n normally distributed values.
func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// score is z·v - |v|²/2 in float64, and the bound of its error in float32: D multiply-adds
// that round product and sum, and the rounding of |v|²/2, each by 2^-24 of what is summed.
func score(z, v []float32) (score, bound float64) {
	size := 0.0
	for c := range v {
		dot, half := float64(z[c])*float64(v[c]), float64(v[c])*float64(v[c])/2
		score += dot - half
		size += math.Abs(dot) + half
	}
	return score, float64(2*len(v)+1) * 0x1p-24 * size
}

// checkNearest compares codes with the search in float64. Another code than the nearest
// passes when the gap between the two lies within both their bounds.
func checkNearest(t *testing.T, codes []int32, z, codebook []float32, d int) {
	t.Helper()
	k := len(codebook) / d
	for i, code := range codes {
		row := z[i*d : (i+1)*d]
		if code < 0 || int(code) >= k {
			t.Fatalf("row %d: code %d is outside [0,%d)", i, code, k)
		}
		got, bound := score(row, codebook[int(code)*d:][:d])
		for j := range k {
			if s, b := score(row, codebook[j*d:][:d]); s-got > bound+b {
				t.Fatalf("row %d: code %d has score %g, code %d has %g", i, code, got, j, s)
			}
		}
	}
}

func TestLookupReference(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		for _, k := range []int{1, 2, 7, 8, 9, 31, 33, 512, 8192} {
			for _, d := range []int{1, 3, 8, 16, 32, 33} {
				for _, m := range []int{0, 1, 2, 5, 17, 100} {
					if k == 8192 && (m > 17 || d < 32) {
						continue // the float64 reference takes long
					}
					r := rand.New(rand.NewPCG(uint64(k), uint64(100*d+m)))
					z, codebook := normal(r, m*d), normal(r, k*d)
					codes := make([]int32, m)
					s.NearestCodes(codes, z, codebook, d)
					checkNearest(t, codes, z, codebook, d)
				}
			}
		}
	})
}

// Small whole numbers make every score exact, so that codes must be equal, ties included.
func TestLookupTies(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, k := range []int{1, 5, 33, 64, 200, 1000} {
			for _, d := range []int{1, 2, 5, 32} {
				const m = 50
				z, codebook := make([]float32, m*d), make([]float32, k*d)
				for i := range z {
					z[i] = float32(r.IntN(5) - 2)
				}
				for i := range codebook {
					codebook[i] = float32(r.IntN(3) - 1)
				}
				want := make([]int32, m)
				for i := range want {
					best := math.Inf(-1)
					for j := range k {
						if s, _ := score(z[i*d:][:d], codebook[j*d:][:d]); s > best {
							best, want[i] = s, int32(j)
						}
					}
				}
				got := make([]int32, m)
				s.NearestCodes(got, z, codebook, d)
				if !slices.Equal(got, want) {
					t.Fatalf("k=%d d=%d: got %v, want %v", k, d, got, want)
				}
			}
		}
	})
}

// Bit-equal codes score bit-equal wherever they stand, the last panel included: of two
// copies of the nearest code the lower must win, and the upper where it is the only one.
func TestLookupDuplicates(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		const d = 32
		r := rand.New(rand.NewPCG(3, 4))
		for _, k := range []int{2, 9, 31, 33, 70, 97} {
			base := normal(r, k*d)
			for lo := range k {
				for hi := lo + 1; hi < k; hi++ {
					row := base[hi*d:][:d]
					codebook := slices.Clone(base)
					code := make([]int32, 1)
					s.NearestCodes(code, row, codebook, d)
					if code[0] != int32(hi) {
						t.Fatalf("k=%d: code %d is nearest to itself, got %d", k, hi, code[0])
					}
					copy(codebook[lo*d:][:d], row)
					if s.NearestCodes(code, row, codebook, d); code[0] != int32(lo) {
						t.Fatalf("k=%d: codes %d and %d are equal, got %d", k, lo, hi, code[0])
					}
				}
				if k > 33 {
					break // one row of pairs is enough: each search packs the codebook anew
				}
			}
		}
	})
}

// A score that is NaN or -Inf never wins; a row that has no other score gets code 0.
func TestLookupNotFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	forLevels(t, func(t *testing.T, s *Set) {
		const d, k = 3, 37
		r := rand.New(rand.NewPCG(5, 6))
		codebook := normal(r, k*d)
		z := normal(r, 4*d)
		copy(z[1*d:], []float32{nan, 1, 1})
		copy(z[2*d:], []float32{inf, -inf, 0})
		copy(z[3*d:], codebook[36*d:])
		codes := make([]int32, 4)
		s.NearestCodes(codes, z, codebook, d)
		if codes[1] != 0 {
			t.Errorf("a row with NaN: got %d, want 0", codes[1])
		}
		if codes[2] < 0 || codes[2] >= k {
			t.Errorf("a row with infinities: got %d", codes[2])
		}
		if codes[3] != 36 {
			t.Errorf("the last code: got %d, want 36", codes[3])
		}
		// Codes with NaN on all sides of the nearest one take nothing from it.
		for j := range k {
			if j != 20 {
				codebook[j*d+j%d] = nan
			}
		}
		s.NearestCodes(codes, z, codebook, d)
		if want := []int32{20, 0}; !slices.Equal(codes[:2], want) {
			t.Errorf("among codes with NaN: got %v, want %v", codes[:2], want)
		}
		// Overflow of |v|² and of z·v.
		for j := range codebook {
			codebook[j] = math.MaxFloat32
		}
		s.NearestCodes(codes, z, codebook, d)
		if codes[0] != 0 || codes[1] != 0 {
			t.Errorf("scores of -Inf: got %v, want 0", codes)
		}
	})
}

// A row's code depends neither on the other rows, nor on its place, nor on threads.
func TestLookupRowsAndThreads(t *testing.T) {
	defer pool.SetThreads(pool.Threads())
	forLevels(t, func(t *testing.T, s *Set) {
		const m, k, d = 401, 600, 16
		r := rand.New(rand.NewPCG(7, 8))
		z, codebook := normal(r, m*d), make([]float32, k*d)
		// Codes that differ in the last bits only, so that another order of adding would show.
		for i := range codebook {
			codebook[i] = 1 + float32(r.IntN(4))*0x1p-23
		}
		want := make([]int32, m)
		pool.SetThreads(1)
		s.NearestCodes(want, z, codebook, d)
		got := make([]int32, m)
		for _, threads := range []int{1, 2, 5} {
			pool.SetThreads(threads)
			clear(got)
			if s.NearestCodes(got, z, codebook, d); !slices.Equal(got, want) {
				t.Fatalf("threads=%d: other codes than with 1", threads)
			}
		}
		for i := range m {
			one := make([]int32, 1)
			if s.NearestCodes(one, z[i*d:], codebook, d); one[0] != want[i] {
				t.Fatalf("row %d alone: got %d, want %d", i, one[0], want[i])
			}
		}
		for _, lo := range []int{1, 7, 13, 95, 390} {
			some := make([]int32, m-lo)
			if s.NearestCodes(some, z[lo*d:], codebook, d); !slices.Equal(some, want[lo:]) {
				t.Fatalf("rows from %d on: other codes than together", lo)
			}
		}
	})
}

// The assembly of all levels rounds alike, so their codes are the same bits.
func TestLookupLevelsAgree(t *testing.T) {
	a, b := Find("avx2"), Find("avx512")
	if a == nil || b == nil {
		t.Skip("needs both avx2 and avx512")
	}
	const m, k, d = 200, 500, 32
	r := rand.New(rand.NewPCG(9, 10))
	z, codebook := normal(r, m*d), make([]float32, k*d)
	for i := range codebook {
		codebook[i] = 1 + float32(r.IntN(4))*0x1p-23
	}
	ca, cb := make([]int32, m), make([]int32, m)
	a.NearestCodes(ca, z, codebook, d)
	b.NearestCodes(cb, z, codebook, d)
	if !slices.Equal(ca, cb) {
		t.Errorf("avx2 and avx512 differ")
	}
}

// guarded is n elements of value v between two bands of the guard g.
func guarded[T comparable](n int, v, g T) (inner []T, check func(t *testing.T, name string)) {
	const band = 64
	all := slices.Repeat([]T{g}, n+2*band)
	inner = all[band : band+n : band+n]
	for i := range inner {
		inner[i] = v
	}
	return inner, func(t *testing.T, name string) {
		t.Helper()
		for i, x := range all {
			if (i < band || i >= band+n) && x != g {
				t.Errorf("%s: element %d of %d was overwritten", name, i-band, n)
			}
		}
	}
}

// Codes of NaN and rows of NaN around the inputs would win or spoil if the kernel read them.
func TestLookupGuards(t *testing.T) {
	nan := float32(math.NaN())
	forLevels(t, func(t *testing.T, s *Set) {
		f := &s.Lookup
		r := rand.New(rand.NewPCG(11, 12))
		for _, d := range []int{1, 2, 3, 8, 33} {
			for _, n := range []int{1, 2, 5} {
				best, checkBest := guarded(f.rows*f.lanes, float32(math.Inf(-1)), 7e30)
				at, checkAt := guarded[int32](f.rows*f.lanes, -1, -77)
				z, _ := guarded(f.rows*d, 0, nan)
				panels, _ := guarded(n*f.cols*(d+1), 0, nan)
				copy(z, normal(r, len(z)))
				copy(panels, normal(r, len(panels)))
				f.tile(best, at, z, panels, d, n, 100)
				checkBest(t, "best")
				checkAt(t, "at")
				checkTile(t, f, best, at, z, panels, d, n, 100)
			}
		}
		codes, check := guarded[int32](53, -1, -77)
		s.NearestCodes(codes, normal(r, 53*5), normal(r, 41*5), 5)
		check(t, "codes")
	})
}

// checkTile compares one call of tile with its definition in float64.
func checkTile(t *testing.T, f *LookupFuncs, best []float32, at []int32, z, panels []float32, d, n, first int) {
	t.Helper()
	for i, got := range best {
		r, lane := i/f.lanes, i%f.lanes
		want := math.Inf(-1)
		for j := lane; j < n*f.cols; j += f.lanes {
			panel := panels[j/f.cols*f.cols*(d+1)+j%f.cols:]
			s := float64(panel[0])
			for c := range d {
				s += float64(z[c*f.rows+r]) * float64(panel[(c+1)*f.cols])
			}
			if int(at[i]) == first+j && math.Abs(s-float64(got)) > 1e-4 {
				t.Errorf("d=%d n=%d row %d lane %d: score of code %d is %g, got %g", d, n, r, lane, j, s, got)
			}
			want = max(want, s)
		}
		if j := int(at[i]) - first; j < 0 || j >= n*f.cols || j%f.lanes != lane || math.Abs(want-float64(got)) > 1e-4 {
			t.Errorf("d=%d n=%d row %d lane %d: got %g of code %d, want %g", d, n, r, lane, got, j, want)
		}
	}
}

func TestLookupPanics(t *testing.T) {
	s := Levels()[0]
	for name, f := range map[string]func(){
		"no codebook":      func() { s.NearestCodes(make([]int32, 1), make([]float32, 4), nil, 4) },
		"no width":         func() { s.NearestCodes(nil, nil, make([]float32, 4), 0) },
		"part of a code":   func() { s.NearestCodes(nil, nil, make([]float32, 5), 4) },
		"short z":          func() { s.NearestCodes(make([]int32, 2), make([]float32, 7), make([]float32, 4), 4) },
		"code too high":    func() { s.CodeStats(make([]float32, 2), make([]float32, 4), []int32{2}, make([]float32, 2), 2) },
		"negative code":    func() { s.CodeStats(make([]float32, 2), make([]float32, 4), []int32{-1}, make([]float32, 2), 2) },
		"sums of no codes": func() { s.CodeStats(make([]float32, 2), make([]float32, 3), nil, nil, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestLookupCodeStats(t *testing.T) {
	defer pool.SetThreads(pool.Threads())
	s := Levels()[len(Levels())-1]
	for _, c := range []struct{ m, k, d int }{{0, 3, 2}, {1, 1, 1}, {1000, 7, 5}, {3000, 1000, 32}} {
		r := rand.New(rand.NewPCG(13, uint64(c.m)))
		z, codes := normal(r, c.m*c.d), make([]int32, c.m)
		counts, sums := normal(r, c.k), normal(r, c.k*c.d)
		wantCounts, wantSums := slices.Clone(counts), slices.Clone(sums)
		for i := range codes {
			codes[i] = int32(r.IntN(c.k))
			wantCounts[codes[i]]++
			for j := range c.d {
				wantSums[int(codes[i])*c.d+j] += z[i*c.d+j]
			}
		}
		for _, threads := range []int{1, 2, 5} {
			pool.SetThreads(threads)
			gotCounts, gotSums := slices.Clone(counts), slices.Clone(sums)
			s.CodeStats(gotCounts, gotSums, codes, z, c.d)
			if !slices.Equal(gotCounts, wantCounts) || !slices.Equal(gotSums, wantSums) {
				t.Errorf("%+v threads=%d: not the sums in ascending order", c, threads)
			}
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint16(40), uint8(5), uint8(0))
	f.Add(uint64(2), uint8(13), uint16(33), uint8(31), uint8(9))
	f.Fuzz(func(t *testing.T, seed uint64, rows uint8, codes uint16, width, shift uint8) {
		m, k, d := int(rows), int(codes)%500+1, int(width)%48+1
		r := rand.New(rand.NewPCG(seed, 1))
		z, codebook := normal(r, m*d), normal(r, k*d)
		for i := range codebook {
			codebook[i] += float32(shift)
		}
		for _, s := range Levels() {
			got := make([]int32, m)
			s.NearestCodes(got, z, codebook, d)
			t.Run(fmt.Sprintf("cpu=%s", s.Level), func(t *testing.T) { checkNearest(t, got, z, codebook, d) })
		}
	})
}
