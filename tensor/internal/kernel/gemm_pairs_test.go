package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// forMedium runs f on every level that multiplies in bfloat16.
func forMedium(t *testing.T, f func(t *testing.T, s *Set)) {
	tested := false
	forLevels(t, func(t *testing.T, s *Set) {
		if s.Supports(Medium) {
			tested = true
			f(t, s)
		}
	})
	if !tested {
		t.Skip("no level of this machine has bfloat16")
	}
}

// checkMedium compares the product of set with two in float64: one of the rounded operands, from which
// only the sums may differ, and one of the operands as they are.
func (c gemmCase) checkMedium(t *testing.T, set *Set, g GemmArgs) {
	t.Helper()
	g.Precision = Medium
	got, whole := withC(g)
	set.MatMul(got)
	a, b := rounded(g.A), rounded(g.B)
	for i := range c.m {
		for j := range c.n {
			want, size := c.exact(g, a, b, i, j)
			exact, exactSize := c.exact(g, g.A, g.B, i, j)
			if c.accumulate {
				before := float64(g.C[i*g.CRow+j])
				want += before
				size += math.Abs(before)
				exact += before
			}
			x := float64(got.C[i*g.CRow+j])
			if limit := 30*0x1p-24*size + 1e-30; !(math.Abs(x-want) <= limit) {
				t.Fatalf("%s %v: C[%d,%d] = %v, want %v within %g", set.Level, c, i, j, x, want, limit)
			}
			// Each of the two factors is off by 2^-8 of itself at most.
			if limit := (0x1p-7+0x1p-16)*exactSize + 30*0x1p-24*size + 1e-30; !(math.Abs(x-exact) <= limit) {
				t.Fatalf("%s %v: C[%d,%d] = %v, exactly %v, not within %g", set.Level, c, i, j, x, exact, limit)
			}
		}
	}
	checkGuards(t, c, g, whole)
}

func rounded(x []float32) []float32 {
	y := slices.Clone(x)
	for i, v := range y {
		y[i] = math.Float32frombits(toBF16(v) << 16)
	}
	return y
}

func TestToBF16(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, c := range []struct{ x, want float32 }{
		{0, 0}, {1, 1}, {-1, -1}, {1 + 0x1p-8, 1}, {1 + 3*0x1p-8, 1 + 0x1p-6}, {1 + 0x1p-8 + 0x1p-20, 1 + 0x1p-7}, {-1 - 0x1p-8, -1},
		{0x1p-126, 0x1p-126}, {0x1p-127, 0}, {math.MaxFloat32, inf}, {inf, inf}, {-inf, -inf},
	} {
		if got := math.Float32frombits(toBF16(c.x) << 16); got != c.want {
			t.Errorf("%g rounds to %g, want %g", c.x, got, c.want)
		}
	}
	if toBF16(float32(math.Copysign(0x1p-130, -1))) != 0x8000 {
		t.Error("a negative denormal does not round to -0")
	}
	// The payload of this NaN lies in the bits that are cut off.
	if x := math.Float32frombits(toBF16(math.Float32frombits(0x7f800001)) << 16); x == x {
		t.Errorf("NaN became %g", x)
	}
}

// TestPackPairs compares the packing copies with packPairs: bits, special numbers included, and what
// they leave alone.
func TestPackPairs(t *testing.T) {
	special := []uint32{0, 1 << 31, 0x7f800000, 0xff800000, 0x7fc12345, 0x7f800001, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x3f808000, 0x3f818000}
	forMedium(t, func(t *testing.T, s *Set) {
		if s.Gemm.pairs == nil {
			t.Skip("this level packs for tiles")
		}
		r := rand.New(rand.NewPCG(21, 22))
		for _, across := range []bool{false, true} {
			for _, shape := range [][2]int{{s.Gemm.rows, s.Gemm.pairs.high}, {s.Gemm.cols, s.Gemm.cols}} {
				width, ld := shape[0], shape[1]
				for _, total := range []int{1, width - 1, width, width + 1, width + 16, 2*width + 5} {
					for _, k := range []int{1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97} {
						src := newOperand(r, total, k, 3, across)
						for i := range src.data {
							if r.IntN(4) == 0 {
								src.data[i] = math.Float32frombits(special[r.IntN(len(special))])
							}
						}
						size := ceil(total, width) / width * ld * ((k + 1) / 2)
						band := make([]float32, size+64)
						for i := range band {
							band[i] = guard
						}
						want := slices.Clone(band)
						s.Gemm.pairs.pack(band[:size:size], width, ld, src.data, src.row, src.col, total, k)
						for x := 0; x < total; x += width {
							packPairs(want[x/width*ld*((k+1)/2):], ld, src.data[x*src.row:], src.row, src.col, min(width, total-x), k)
						}
						for i, w := range want {
							place := i / ld / ((k + 1) / 2) * width // of the strip
							if i < size && (i%ld >= width || place+i%ld >= total) {
								continue // beyond the edge anything may stand
							}
							if math.Float32bits(band[i]) != math.Float32bits(w) {
								t.Fatalf("across=%v width=%d total=%d k=%d: word %d is %08x, want %08x",
									across, width, total, k, i, math.Float32bits(band[i]), math.Float32bits(w))
							}
						}
					}
				}
			}
		}
	})
}

func TestMediumSizes(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(23, 24))
		variant := 0
		for x := range 68 {
			// Each of M, N and K meets every size, the others a few.
			for _, c := range []gemmCase{
				{m: x, n: 33, k: 19}, {m: 15, n: x, k: 34}, {m: 15, n: 33, k: x}, {m: x, n: x, k: x}, {m: x, n: 67 - x, k: 3},
			} {
				for range 2 {
					c.byColA, c.byColB, c.accumulate = variant&1 != 0, variant&2 != 0, variant&4 != 0
					if variant&8 != 0 {
						c.gapA, c.gapB, c.gapC = 5, 3, 7
					}
					c.checkMedium(t, s, c.args(r))
					variant += 5
				}
			}
		}
		for v := range 8 {
			for _, c := range []gemmCase{
				{m: 197, n: 64, k: 197}, {m: 65, n: 65, k: 64, gapA: 3}, {m: 31, n: 197, k: 520, gapB: 1, gapC: 2},
				{m: 33, n: 40, k: 1577, gapC: 1}, {m: 130, n: 9, k: 520}, {m: 5, n: 1000, k: 17},
			} {
				c.byColA, c.byColB, c.accumulate = v&1 != 0, v&2 != 0, v&4 != 0
				c.checkMedium(t, s, c.args(r))
			}
		}
	})
}

func TestMediumAnyStrides(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(25, 26))
		data := newOperand(r, 1, 20_000, 0, false).data
		for _, strides := range [][4]int{{3, 160, 2, 77}, {0, 3, 2, 0}, {160, 2, 131, 2}} {
			c := gemmCase{m: 50, n: 50, k: 31}
			g := c.args(r)
			g.A, g.B = data, data
			g.ARow, g.ACol, g.BRow, g.BCol = strides[0], strides[1], strides[2], strides[3]
			c.checkMedium(t, s, g)
		}
	})
}

func TestMediumBits(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		for v := range 8 {
			gemmCase{m: 150, n: 300, k: 1031, byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0}.checkBits(t, s, Medium)
		}
	})
}

// checkBits: threads, Serial, the place of rows and columns and the strides do not change bits.
func (c gemmCase) checkBits(t *testing.T, s *Set, precision Precision) {
	t.Helper()
	g := c.args(rand.New(rand.NewPCG(27, 28)))
	g.Precision = precision
	want := product(s, g, 1)
	for _, threads := range []int{2, 5} {
		if !sameBits(product(s, g, threads), want) {
			t.Errorf("%v: %d threads give other bits than 1", c, threads)
		}
	}
	same := func(what string, g GemmArgs, i0, j0 int) {
		t.Helper()
		got := product(s, g, 1)
		for i := range g.M {
			if !sameBits(got[i*g.CRow:][:g.N], want[(i0+i)*c.n+j0:][:g.N]) {
				t.Fatalf("%v, %s: row %d differs", c, what, i0+i)
			}
		}
	}
	other := g
	other.Serial = true
	same("serial", other, 0, 0)
	other = g
	other.A, other.ARow, other.ACol = turned(g.A, g.ARow, g.ACol, c.m, c.k)
	other.B, other.BRow, other.BCol = turned(g.B, g.BRow, g.BCol, c.k, c.n)
	same("turned", other, 0, 0)
	for _, cut := range [][4]int{ // rows from, to; columns from, to
		{0, 1, 0, c.n}, {c.m - 1, c.m, 0, c.n}, {3, 20, 0, c.n}, {5, c.m - 10, 0, c.n},
		{0, c.m, 0, 1}, {0, c.m, c.n - 1, c.n}, {0, c.m, 7, 40}, {0, c.m, 3, c.n - 10}, {c.m/2 + 2, c.m/2 + 3, 33, 34}, {11, 30, 50, 71},
	} {
		i0, i1, j0, j1 := cut[0], cut[1], cut[2], cut[3]
		part := g
		part.M, part.N = i1-i0, j1-j0
		part.A, part.B, part.C = g.A[i0*g.ARow:], g.B[j0*g.BCol:], g.C[i0*g.CRow+j0:]
		same(fmt.Sprintf("cut %v", cut), part, i0, j0)
	}
}

// turned stores a rows x cols matrix the other way: along the columns, with a stride of 2 between rows.
func turned(x []float32, row, col, rows, cols int) ([]float32, int, int) {
	y := make([]float32, 2*rows*cols)
	for i := range rows {
		for j := range cols {
			y[2*(j*rows+i)] = x[i*row+j*col]
		}
	}
	return y, 2, 2 * rows
}

func TestMediumEpilogue(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		for _, threads := range []int{1, 2, 5} {
			c := gemmCase{m: 40, n: 1700, k: 601, gapC: 3}
			g := c.args(rand.New(rand.NewPCG(29, 30)))
			g.Precision = Medium
			want := product(s, g, 1)
			for i := range c.m {
				for j := range c.n {
					want[i*g.CRow+j] = want[i*g.CRow+j]*2 + float32(i-j)
				}
			}
			g.Epilogue = func(i, j int, row []float32) {
				for x := range row {
					row[x] = row[x]*2 + float32(i-j-x)
				}
			}
			if !sameBits(product(s, g, threads), want) {
				t.Errorf("%d threads: the epilogue did not meet each element once, finished", threads)
			}
		}
	})
}

func TestMediumNotFinite(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) { checkNotFinite(t, s, Medium) })
}

// checkNotFinite puts one Inf or NaN into A or B: its row or column of C is not finite, the rest is.
func checkNotFinite(t *testing.T, s *Set, precision Precision) {
	t.Helper()
	c := gemmCase{m: 34, n: 70, k: 35}
	for _, bad := range []float32{float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0x7f800001)} {
		for v := range 8 {
			c.byColA, c.byColB = v&1 != 0, v&2 != 0
			g := c.args(rand.New(rand.NewPCG(31, 32)))
			g.Precision = precision
			const row, col, k = 33, 65, 34
			if v&4 != 0 {
				g.A[row*g.ARow+k*g.ACol] = bad
			} else {
				g.B[k*g.BRow+col*g.BCol] = bad
			}
			for at, x := range product(s, g, 1) {
				hit := v&4 != 0 && at/c.n == row || v&4 == 0 && at%c.n == col
				if finite := x-x == 0; finite == hit {
					t.Fatalf("%v with %v: C[%d,%d] = %v", c, bad, at/c.n, at%c.n, x)
				}
			}
		}
	}
}

// TestMediumFallsBack: without bfloat16 Medium and High change nothing, and with it Highest is that of the level below.
func TestMediumFallsBack(t *testing.T) {
	c := gemmCase{m: 70, n: 90, k: 300, byColA: true, accumulate: true}
	g := c.args(rand.New(rand.NewPCG(33, 34)))
	for i, s := range Levels() {
		highest := product(s, g, 1)
		high := g
		high.Precision = High
		if same := sameBits(product(s, high, 1), highest); same == s.Supports(High) {
			t.Errorf("%s: high gives the bits of highest: %v", s.Level, same)
		}
		medium := g
		medium.Precision = Medium
		if same := sameBits(product(s, medium, 1), highest); same == s.Supports(Medium) {
			t.Errorf("%s: medium gives the bits of highest: %v", s.Level, same)
		}
		if s.Supports(Medium) && !sameBits(product(Levels()[i-1], g, 1), highest) {
			t.Errorf("%s: highest has other bits than on %s", s.Level, Levels()[i-1].Level)
		}
	}
}

func TestMediumAllocations(t *testing.T) {
	forMedium(t, func(t *testing.T, s *Set) {
		g := gemmCase{m: 65, n: 65, k: 64, byColB: true}.args(rand.New(rand.NewPCG(35, 36)))
		g.Serial, g.Precision = true, Medium
		if n := testing.AllocsPerRun(100, func() { s.MatMul(g) }); n > 2 {
			t.Errorf("a small product allocates %v times", n)
		}
	})
}

func FuzzGemmMedium(f *testing.F) {
	f.Add(uint64(1), uint16(65), uint16(65), uint16(64), uint8(2))
	f.Add(uint64(2), uint16(15), uint16(33), uint16(301), uint8(5))
	f.Add(uint64(3), uint16(0), uint16(1), uint16(0), uint8(7))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, v uint8) {
		c := gemmCase{
			m: int(m % 130), n: int(n % 130), k: int(k % 600),
			gapA: int(v >> 6), gapB: int(v >> 5 & 3), gapC: int(v >> 4 & 3),
			byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0,
		}
		for _, s := range Levels() {
			if s.Supports(Medium) {
				c.checkMedium(t, s, c.args(rand.New(rand.NewPCG(seed, 0))))
			}
		}
	})
}
