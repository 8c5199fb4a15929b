package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gobeit/gobeit/tensor/internal/pool"
)

// operand is a rows x cols matrix in a slice of its own: in rows or in columns, their
// distance gap more than their length, with NaN in the gaps.
type operand struct {
	data     []float32
	row, col int
}

func newOperand(r *rand.Rand, rows, cols, gap int, byColumn bool) operand {
	o := operand{row: cols + gap, col: 1}
	size := rows * o.row
	if byColumn {
		o.row, o.col = 1, rows+gap
		size = cols * o.col
	}
	o.data = make([]float32, size)
	for i := range o.data {
		o.data[i] = float32(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			o.data[i*o.row+j*o.col] = r.Float32()*2 - 1
		}
	}
	if rows > 0 && cols > 0 { // nothing behind the last element
		o.data = slices.Clip(o.data[:(rows-1)*o.row+(cols-1)*o.col+1])
	}
	return o
}

// gemmCase makes the operands of one product, C filled with numbers and a guard behind each row.
type gemmCase struct {
	m, n, k          int
	gapA, gapB, gapC int
	byColA, byColB   bool
	accumulate       bool
}

func (c gemmCase) String() string {
	return fmt.Sprintf("m=%d/n=%d/k=%d/gaps=%d,%d,%d/columns=%v,%v/accumulate=%v",
		c.m, c.n, c.k, c.gapA, c.gapB, c.gapC, c.byColA, c.byColB, c.accumulate)
}

const guard = float32(-12345)

func (c gemmCase) args(r *rand.Rand) GemmArgs {
	a := newOperand(r, c.m, c.k, c.gapA, c.byColA)
	b := newOperand(r, c.k, c.n, c.gapB, c.byColB)
	g := GemmArgs{
		M: c.m, N: c.n, K: c.k,
		A: a.data, ARow: a.row, ACol: a.col,
		B: b.data, BRow: b.row, BCol: b.col,
		C: make([]float32, c.m*(c.n+c.gapC)), CRow: c.n + c.gapC,
		Accumulate: c.accumulate,
	}
	for i := range g.C {
		g.C[i] = guard
		if i%g.CRow < c.n {
			g.C[i] = r.Float32()
		}
	}
	return g
}

// withC gives g a copy of its C, between guards.
func withC(g GemmArgs) (GemmArgs, []float32) {
	const band = 64
	whole := slices.Repeat([]float32{guard}, len(g.C)+2*band)
	copy(whole[band:], g.C)
	g.C = whole[band : band+len(g.C) : band+len(g.C)]
	return g, whole
}

// exact sums in float64 what a and b, placed as A and B of g, give for element (i,j) of A·B and of |A|·|B|.
func (c gemmCase) exact(g GemmArgs, a, b []float32, i, j int) (sum, size float64) {
	for k := range c.k {
		p := float64(a[i*g.ARow+k*g.ACol]) * float64(b[k*g.BRow+j*g.BCol])
		sum += p
		size += math.Abs(p)
	}
	return sum, size
}

// check compares the product of set with one in float64, and the guards.
func (c gemmCase) check(t *testing.T, set *Set, g GemmArgs) {
	t.Helper()
	got, whole := withC(g)
	set.MatMul(got)
	for i := range c.m {
		for j := range c.n {
			want, size := c.exact(g, g.A, g.B, i, j)
			if c.accumulate {
				want += float64(g.C[i*g.CRow+j])
				size += math.Abs(float64(g.C[i*g.CRow+j]))
			}
			// A chain of at most 256+K/256 roundings; in practice far fewer add up.
			limit := 20*0x1p-24*size + 1e-30
			if x := float64(got.C[i*g.CRow+j]); !(math.Abs(x-want) <= limit) {
				t.Fatalf("%s %v: C[%d,%d] = %v, want %v within %g", set.Level, c, i, j, x, want, limit)
			}
		}
	}
	checkGuards(t, c, g, whole)
}

// checkGuards looks at what surrounds C in the slice that withC made.
func checkGuards(t *testing.T, c gemmCase, g GemmArgs, whole []float32) {
	t.Helper()
	for i, v := range whole {
		at := i - 64
		if (at < 0 || at >= len(g.C) || at%g.CRow >= c.n) && v != guard {
			t.Fatalf("%v: wrote outside C at %d", c, at)
		}
	}
}

// forLevels runs f on every level of this machine; in short mode, for the race detector, which sees no assembly, on the first and the last.
func forLevels(t *testing.T, f func(t *testing.T, s *Set)) {
	for i, s := range Levels() {
		if testing.Short() && i > 0 && i < len(Levels())-1 {
			continue
		}
		t.Run("cpu="+s.Level, func(t *testing.T) { f(t, s) })
	}
}

func TestGemmSizes(t *testing.T) {
	sizes := []int{0, 1, 3, 17, 65, 197}
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(1, 2))
		variant := 0
		for _, m := range sizes {
			for _, n := range sizes {
				for _, k := range sizes {
					// The large cases see some of the variants, each of the others all.
					every := 1
					if m*n*k > 17*65*65 {
						every = 5
					}
					for v := range 16 {
						if variant++; variant%every != 0 {
							continue
						}
						c := gemmCase{m: m, n: n, k: k, byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0}
						if v&8 != 0 {
							c.gapA, c.gapB, c.gapC = 5, 3, 7
						}
						if m*n*k > 65*65*65 && v&12 != 4 {
							continue
						}
						c.check(t, s, c.args(r))
					}
				}
			}
		}
	})
}

// TestGemmTiles meets every tile height and width, in place and packed.
func TestGemmTiles(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(3, 4))
		for m := range s.Gemm.rows + 2 {
			for n := range s.Gemm.cols + 2 {
				for _, byCol := range []bool{false, true} {
					c := gemmCase{m: m, n: n, k: 11, gapC: 2, byColA: byCol, byColB: byCol, accumulate: n%2 == 0}
					c.check(t, s, c.args(r))
				}
			}
		}
	})
}

func TestGemmLarge(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, c := range []gemmCase{
			{m: 523, n: 130, k: 300, gapA: 4, gapB: 1, gapC: 9},
			{m: 40, n: 1000, k: 521, byColA: true, accumulate: true},
			{m: 33, n: 71, k: 1576, byColA: true, byColB: true},
			{m: 500, n: 1, k: 600, byColB: true},
		} {
			c.check(t, s, c.args(r))
		}
	})
}

// TestGemmAnyStrides has no stride of 1 in A and B, and a broadcast row and column (stride 0).
func TestGemmAnyStrides(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(7, 8))
		data := newOperand(r, 1, 20_000, 0, false).data
		for _, m := range []int{5, 100} {
			for _, strides := range [][4]int{{3, 160, 2, 77}, {0, 3, 2, 0}, {160, 2, 131, 2}} {
				c := gemmCase{m: m, n: 50, k: 30}
				g := c.args(r)
				g.A, g.B = data, data
				g.ARow, g.ACol, g.BRow, g.BCol = strides[0], strides[1], strides[2], strides[3]
				c.check(t, s, g)
			}
		}
	})
}

// product is C after set.MatMul, with threads.
func product(s *Set, g GemmArgs, threads int) []float32 {
	defer pool.SetThreads(pool.Threads())
	pool.SetThreads(threads)
	g, _ = withC(g)
	s.MatMul(g)
	return g.C
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestGemmThreads(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, c := range []gemmCase{
			{m: 197, n: 300, k: 300, accumulate: true},
			{m: 60, n: 192, k: 1576, byColA: true},
			{m: 31, n: 33, k: 700, byColB: true},
		} {
			g := c.args(r)
			want := product(s, g, 1)
			for _, threads := range []int{2, 5} {
				if !sameBits(product(s, g, threads), want) {
					t.Errorf("%v: %d threads give other bits than 1", c, threads)
				}
			}
			g.Serial = true
			if !sameBits(product(s, g, 2), want) {
				t.Errorf("%v: Serial gives other bits", c)
			}
		}
	})
}

// TestGemmRowsAndColumns cuts rows and columns out of a product: their bits stay, whether
// the smaller product packs its operands or reads them in place.
func TestGemmRowsAndColumns(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(11, 12))
		for v := range 8 {
			c := gemmCase{m: 150, n: 300, k: 270, byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0}
			g := c.args(r)
			whole := product(s, g, 1)
			for _, cut := range [][4]int{ // rows from, to; columns from, to
				{0, 1, 0, 300}, {149, 150, 0, 300}, {3, 20, 0, 300}, {5, 140, 0, 300},
				{0, 150, 0, 1}, {0, 150, 299, 300}, {0, 150, 7, 40}, {0, 150, 3, 290}, {77, 78, 33, 34}, {11, 30, 50, 71},
			} {
				i0, i1, j0, j1 := cut[0], cut[1], cut[2], cut[3]
				part := g
				part.M, part.N = i1-i0, j1-j0
				part.A, part.B, part.C = g.A[i0*g.ARow:], g.B[j0*g.BCol:], g.C[i0*g.CRow+j0:]
				got := product(s, part, 1)
				for i := range part.M {
					if !sameBits(got[i*g.CRow:][:part.N], whole[(i0+i)*g.CRow+j0:][:part.N]) {
						t.Fatalf("%v: row %d differs in the product of rows and columns %v", c, i0+i, cut)
					}
				}
			}
		}
	})
}

func TestGemmEpilogue(t *testing.T) {
	for _, s := range Levels() {
		for _, threads := range []int{1, 3} {
			for _, c := range []gemmCase{{m: 40, n: 1700, k: 300, gapC: 3}, {m: 7, n: 5, k: 0}, {m: 7, n: 5, k: 0, accumulate: true}} {
				g := c.args(rand.New(rand.NewPCG(13, 14)))
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
					t.Errorf("%s %v, %d threads: the epilogue did not meet each element once, finished", s.Level, c, threads)
				}
			}
		}
	}
}

func TestGemmNoInnerSize(t *testing.T) {
	for _, s := range Levels() {
		c := []float32{1, 2, 3, 4, 5, 6}
		s.MatMul(GemmArgs{M: 2, N: 2, C: c, CRow: 3, Accumulate: true})
		if !slices.Equal(c, []float32{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%s: accumulating nothing gave %v", s.Level, c)
		}
		s.MatMul(GemmArgs{M: 2, N: 2, C: c, CRow: 3})
		if !slices.Equal(c, []float32{0, 0, 3, 0, 0, 6}) {
			t.Errorf("%s: the sum of nothing gave %v", s.Level, c)
		}
	}
}

func TestGemmShortSlicePanics(t *testing.T) {
	good := gemmCase{m: 4, n: 5, k: 6}.args(rand.New(rand.NewPCG(15, 16)))
	short := []float32{1, 2, 3}
	for name, g := range map[string]func(g *GemmArgs){
		"A":      func(g *GemmArgs) { g.A = short },
		"B":      func(g *GemmArgs) { g.B = short },
		"C":      func(g *GemmArgs) { g.C = short },
		"stride": func(g *GemmArgs) { g.ARow = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			g(&bad)
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			levels[len(levels)-1].MatMul(bad)
		})
	}
}

// TestGemmAllocations: a product reuses the job and the buffers of the last; without that it
// would allocate 4 times. (The race detector makes pools forget some.)
func TestGemmAllocations(t *testing.T) {
	s := levels[len(levels)-1]
	g := gemmCase{m: 65, n: 65, k: 64, byColB: true}.args(rand.New(rand.NewPCG(17, 18)))
	g.Serial = true
	if n := testing.AllocsPerRun(100, func() { s.MatMul(g) }); n > 2 {
		t.Errorf("a small product allocates %v times", n)
	}
}

func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint16(65), uint16(65), uint16(64), uint8(2))
	f.Add(uint64(2), uint16(15), uint16(33), uint16(300), uint8(5))
	f.Add(uint64(3), uint16(0), uint16(1), uint16(0), uint8(7))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, v uint8) {
		c := gemmCase{
			m: int(m % 260), n: int(n % 260), k: int(k % 600),
			gapA: int(v >> 6), gapB: int(v >> 5 & 3), gapC: int(v >> 4 & 3),
			byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0,
		}
		g := c.args(rand.New(rand.NewPCG(seed, 0)))
		want := product(levels[0], g, 1)
		for _, s := range levels[1:] {
			got := product(s, g, 1+int(v>>3&1))
			for i := range got {
				if !(math.Abs(float64(got[i]-want[i])) <= 1e-6*float64(c.k+4)) {
					t.Fatalf("%s %v: C[%d] = %v, generic %v", s.Level, c, i, got[i], want[i])
				}
			}
		}
	})
}
