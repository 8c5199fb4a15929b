package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"
)

// tileModel is gemmTiles.tile in Go: TDPBF16PS sums the 16 products of the lower and of the upper halves for themselves, and takes denormals for zero.
func tileModel(m, n, steps, pieces int, a, b, c []float32, cRow int, accumulate bool) {
	piece := steps * tileWords
	flushed := func(x float32) float32 {
		if math.Abs(float64(x)) < 0x1p-126 {
			return 0
		}
		return x
	}
	halves := func(word float32) (low, high float32) {
		bits := math.Float32bits(word)
		return flushed(math.Float32frombits(bits << 16)), flushed(math.Float32frombits(bits & 0xffff0000))
	}
	dot := func(sum float32, a, b []float32) float32 {
		var low, high float32
		for p, word := range a[:16] {
			a0, a1 := halves(word)
			b0, b1 := halves(b[p*tileSide])
			low = flushed(low + flushed(float32(a0*b0)))
			high = flushed(high + flushed(float32(a1*b1)))
		}
		return flushed(sum + flushed(low+high))
	}
	for i := range m {
		rows := a[i/tileSide*pieces*piece+i%tileSide*steps*16:]
		for j := range n {
			var sum float32
			for s := range steps {
				x, y := rows[s*16:], b[s*tileWords+j:]
				if pieces == 2 {
					sum = dot(sum, x[piece:], y)
				}
				sum = dot(sum, x, y)
				if pieces == 2 {
					sum = dot(sum, x, y[piece:])
				}
			}
			if accumulate {
				sum += c[i*cRow+j]
			}
			c[i*cRow+j] = sum
		}
	}
}

// withTileModel is a level that has packing for tiles of its own kernels, and tileModel.
func withTileModel(s Set) *Set {
	pairs := pairPacking{
		gather: func(dst []float32, ld int, src []float32, stride, width, strips, k int) {
			for s := range strips {
				packPairs(dst[s*ld*((k+1)/2):], ld, src[s*width:], 1, stride, width, k)
			}
		},
		transpose: func(dst []float32, ld int, src []float32, stride, rows, k int) {
			packPairs(dst, ld, src, stride, 1, rows, k)
		},
	}
	if s.Gemm.pairs != nil {
		pairs = s.Gemm.pairs.pairPacking
	}
	s.Level += " and tiles in Go"
	s.Gemm.pairs, s.Gemm.tiles = nil, &gemmTiles{
		tile: tileModel, pairs: pairs, round: s.Vec.ToBFloat16, widen: s.Vec.FromBFloat16, sub: s.Vec.Sub, peak: s.Gemm.peak,
	}
	return &s
}

// forTiles runs f on the level with tile registers, and with a model of these on others: packing and the cutting into
// tiles are the same, so that they are tested on any machine.
func forTiles(t *testing.T, f func(t *testing.T, s *Set)) {
	forAMX(t, f)
	for i, s := range Levels() {
		if s.Gemm.tiles == nil && (i == 0 || i == len(Levels())-1) { // the packing of plain Go, and the fastest
			model := withTileModel(*s)
			t.Run("cpu="+model.Level, func(t *testing.T) { f(t, model) })
		}
	}
}

// forAMX runs f on tile registers alone.
func forAMX(t *testing.T, f func(t *testing.T, s *Set)) {
	t.Run("cpu=amx", func(t *testing.T) {
		s := Find("amx")
		if s == nil {
			if os.Getenv("BEIT_REQUIRE_AMX") == "1" {
				t.Fatal("BEIT_REQUIRE_AMX=1, but this machine and build have no level amx")
			}
			t.Skip("this machine or build has no level amx")
		}
		f(t, s)
	})
}

// checkHigh compares the product of set with one in float64, within the bound of gemmTiles.
func (c gemmCase) checkHigh(t *testing.T, set *Set, g GemmArgs) {
	t.Helper()
	g.Precision = High
	got, whole := withC(g)
	set.MatMul(got)
	for i := range c.m {
		for j := range c.n {
			want, size := c.exact(g, g.A, g.B, i, j)
			limit := (0x1p-15 + float64(c.k)*0x1p-24) * size
			if c.accumulate {
				before := float64(g.C[i*g.CRow+j])
				want += before
				limit += 0x1p-24 * math.Abs(want)
			}
			if x := float64(got.C[i*g.CRow+j]); !(math.Abs(x-want) <= limit) {
				t.Fatalf("%s %v: C[%d,%d] = %v, want %v within %g", set.Level, c, i, j, x, want, limit)
			}
		}
	}
	checkGuards(t, c, g, whole)
}

// tileCases are sizes around those of tiles, steps and blocks of K; the fourth number says which factors are transposed and whether to add.
var tileCases = []gemmCase{
	{m: 1, n: 1, k: 1}, {m: 1, n: 1, k: 2}, {m: 2, n: 3, k: 31}, {m: 16, n: 16, k: 32}, {m: 17, n: 15, k: 33}, {m: 31, n: 33, k: 7},
	{m: 32, n: 32, k: 64}, {m: 33, n: 31, k: 65}, {m: 65, n: 48, k: 97}, {m: 97, n: 17, k: 19}, {m: 5, n: 130, k: 255}, {m: 20, n: 40, k: 257},
	{m: 34, n: 9, k: 511}, {m: 9, n: 35, k: 513}, {m: 33, n: 40, k: 1100}, {m: 100, n: 70, k: 50, gapA: 3, gapB: 2, gapC: 5}, {m: 0, n: 4, k: 3},
	{m: 4, n: 3, k: 0},
}

func TestTileSizes(t *testing.T) {
	forTiles(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(41, 42))
		for v := range 8 {
			for _, c := range tileCases {
				c.byColA, c.byColB, c.accumulate = v&1 != 0, v&2 != 0, v&4 != 0
				c.checkHigh(t, s, c.args(r))
				c.checkMedium(t, s, c.args(r))
			}
		}
	})
}

func TestTilesAnyStrides(t *testing.T) {
	forTiles(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(43, 44))
		data := newOperand(r, 1, 20_000, 0, false).data
		for _, strides := range [][4]int{{3, 160, 2, 77}, {0, 3, 2, 0}, {160, 2, 131, 2}} {
			c := gemmCase{m: 50, n: 50, k: 31}
			g := c.args(r)
			g.A, g.B = data, data
			g.ARow, g.ACol, g.BRow, g.BCol = strides[0], strides[1], strides[2], strides[3]
			c.checkHigh(t, s, g)
			c.checkMedium(t, s, g)
		}
	})
}

// TestHighRange has factors of all sizes for which the bound is promised, and such as splitting harms most.
func TestHighRange(t *testing.T) {
	worst := []uint32{0x3f808000 - 1, 0x3f808000 + 1, 0x3f80ff7f, 0x3f807f7f, 0x3f807fff, 0x3f818080, 0x3fffffff, 0x3f800001, 0x3f800000}
	number := func(r *rand.Rand, low, high int) float32 {
		x := 1 + r.Float32()
		if r.IntN(2) == 0 {
			x = math.Float32frombits(worst[r.IntN(len(worst))])
		}
		if r.IntN(2) == 0 {
			x = -x
		}
		return float32(math.Ldexp(float64(x), low+r.IntN(high-low+1)))
	}
	forTiles(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(45, 46))
		for _, e := range [][4]int{ // exponents of A, of B
			{0, 0, 0, 0}, {-20, 20, -20, 20}, {-50, -40, -50, -45}, {-100, -95, 0, 0}, {-100, -80, 20, 119}, {119, 119, -100, 0}, {60, 60, 50, 60},
		} {
			for _, k := range []int{1, 2, 3, 30, 70, 300} {
				c := gemmCase{m: 33, n: 34, k: k, byColA: k&1 != 0}
				g := c.args(r)
				for i := range g.A {
					g.A[i] = number(r, e[0], e[1])
				}
				for i := range g.B {
					g.B[i] = number(r, e[2], e[3])
				}
				c.checkHigh(t, s, g)
			}
		}
	})
}

// TestHighNeedsItsPieces: what the bound allows is less than what one piece, or two without their products with each other, would be off by.
func TestHighNeedsItsPieces(t *testing.T) {
	forTiles(t, func(t *testing.T, s *Set) {
		c := gemmCase{m: 1, n: 1, k: 1}
		g := c.args(rand.New(rand.NewPCG(47, 48)))
		x := float32(1 + 0x1p-8 - 0x1p-16) // 1 and a rest just below 2^-8
		g.A[0], g.B[0], g.Precision = x, x, High
		rest := float64(x) - 1
		if got, want := float64(product(s, g, 1)[0]), 1+2*rest; math.Abs(got-want) > 0x1p-22 {
			t.Errorf("high: %v, want %v", got, want)
		}
		g.Precision = Medium
		if got := product(s, g, 1)[0]; got != 1 {
			t.Errorf("medium: %v, want 1", got)
		}
	})
}

func TestTilesNotFinite(t *testing.T) {
	forTiles(t, func(t *testing.T, s *Set) {
		checkNotFinite(t, s, High)
		checkNotFinite(t, s, Medium)
	})
}

func TestHighBits(t *testing.T) {
	forTiles(t, func(t *testing.T, s *Set) {
		for v := range 4 {
			gemmCase{m: 70, n: 100, k: 300, byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v == 3}.checkBits(t, s, High)
		}
	})
}

// TestTilesAgreeWithModel: on the same panels the registers and the model differ by the order of sums alone; and what the model leaves alone, they do.
func TestTilesAgreeWithModel(t *testing.T) {
	forAMX(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(51, 52))
		for _, pieces := range []int{1, 2} {
			for _, steps := range []int{1, 2, 8} {
				for _, size := range [][2]int{{1, 1}, {7, 15}, {16, 16}, {17, 17}, {31, 16}, {32, 31}, {32, 32}, {33, 1}, {64, 32}, {96, 20}} {
					for _, accumulate := range []bool{false, true} {
						m, n := size[0], size[1]
						a, b := alignedWords(ceil(m, tileSide)/tileSide*steps*pieces*tileWords), alignedWords(steps*pieces*tileWords)
						for _, x := range [][]float32{a, b} {
							halves := asBFloat16(x)
							for i := range halves {
								halves[i] = toBFloat16(r.Float32() - 0.5)
							}
						}
						const row, band = 37, 64
						got := make([]float32, band+m*row+band)
						for i := range got {
							got[i] = r.Float32()
						}
						want := slices.Clone(got)
						s.Gemm.tiles.tile(m, n, steps, pieces, a, b, got[band:], row, accumulate)
						tileModel(m, n, steps, pieces, a, b, want[band:], row, accumulate)
						for i, w := range want {
							at := i - band
							inside := at >= 0 && at < m*row && at%row < n
							if d := math.Abs(float64(got[i] - w)); d > 1e-5*math.Sqrt(float64(steps)) || !inside && d != 0 {
								t.Fatalf("m=%d n=%d steps=%d pieces=%d accumulate=%v: element %d is %v, the model has %v",
									m, n, steps, pieces, accumulate, at, got[i], w)
							}
						}
					}
				}
			}
		}
	})
}

// TestTilesSurvivePreemption multiplies on many goroutines while garbage is collected all the time, so that signals and other threads interrupt
// the tile function: what tile registers hold must come back.
func TestTilesSurvivePreemption(t *testing.T) {
	forAMX(t, func(t *testing.T, s *Set) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(4, runtime.GOMAXPROCS(0))))
		c := gemmCase{m: 96, n: 64, k: 512, byColB: true}
		g := c.args(rand.New(rand.NewPCG(53, 54)))
		g.Serial = true
		var want [Medium + 1][]float32
		for _, p := range []Precision{High, Medium} {
			g.Precision = p
			want[p] = product(s, g, 1)
		}
		var done atomic.Bool
		var workers, storm sync.WaitGroup
		storm.Go(func() {
			for !done.Load() {
				runtime.GC()
			}
		})
		for w := range 4 {
			workers.Go(func() {
				own, _ := withC(g)
				own.Precision = []Precision{High, Medium}[w%2]
				for round := range 50 {
					s.MatMul(own)
					if !sameBits(own.C, want[own.Precision]) {
						t.Errorf("worker %d, round %d: other bits", w, round)
						return
					}
				}
			})
		}
		workers.Wait()
		done.Store(true)
		storm.Wait()
	})
}

func TestAlignedWords(t *testing.T) {
	for n := range 40 {
		x := alignedWords(n + 1)
		if at := uintptr(unsafe.Pointer(&x[0])); at%64 != 0 || len(x) != n+1 || cap(x) != n+1 {
			t.Errorf("%d words, room for %d, at %#x; want %d", len(x), cap(x), at, n+1)
		}
	}
}

func FuzzGemmTiles(f *testing.F) {
	f.Add(uint64(1), uint16(65), uint16(65), uint16(64), uint8(2))
	f.Add(uint64(2), uint16(33), uint16(31), uint16(301), uint8(5))
	f.Add(uint64(3), uint16(0), uint16(1), uint16(0), uint8(7))
	f.Fuzz(func(t *testing.T, seed uint64, m, n, k uint16, v uint8) {
		c := gemmCase{
			m: int(m % 100), n: int(n % 100), k: int(k % 600),
			gapA: int(v >> 6), gapB: int(v >> 5 & 3), gapC: int(v >> 4 & 3),
			byColA: v&1 != 0, byColB: v&2 != 0, accumulate: v&4 != 0,
		}
		s := Find("amx")
		if s == nil {
			s = withTileModel(*Levels()[len(Levels())-1])
		}
		c.checkHigh(t, s, c.args(rand.New(rand.NewPCG(seed, 0))))
		c.checkMedium(t, s, c.args(rand.New(rand.NewPCG(seed, 1))))
	})
}

// TestSelfTestOfTiles: the self-test of a level with tiles passes with the model, and sees each of their functions break.
func TestSelfTestOfTiles(t *testing.T) {
	for _, level := range Levels() {
		if level.Gemm.tiles != nil || level.Level == levels[0].Level {
			continue
		}
		good := withTileModel(*level)
		if faults := good.SelfTest(); faults != nil {
			t.Errorf("%s: %+v", good.Level, faults)
		}
		for _, spoil := range []struct {
			name string
			how  func(*gemmTiles)
		}{
			{"one piece", func(tiles *gemmTiles) {
				tiles.tile = func(m, n, steps, pieces int, a, b, c []float32, cRow int, accumulate bool) {
					tileModel(m, n, steps, pieces, a, b, c, cRow, accumulate)
					c[0] += 0.01
				}
			}},
			{"round", func(tiles *gemmTiles) {
				round := tiles.round
				tiles.round = func(dst []uint16, x []float32) { round(dst, x); dst[0] += 2 }
			}},
			{"widen", func(tiles *gemmTiles) { tiles.widen = func(dst []float32, x []uint16) { clear(dst) } }},
			{"sub", func(tiles *gemmTiles) { tiles.sub = func(dst, a, b []float32) { clear(dst) } }},
			{"gather", func(tiles *gemmTiles) {
				tiles.pairs.gather = func(dst []float32, ld int, src []float32, stride, width, strips, k int) { clear(dst) }
			}},
			{"transpose", func(tiles *gemmTiles) {
				tiles.pairs.transpose = func(dst []float32, ld int, src []float32, stride, rows, k int) { clear(dst[:1]) }
			}},
		} {
			broken, tiles := *good, *good.Gemm.tiles
			spoil.how(&tiles)
			broken.Gemm.tiles = &tiles
			if faults := broken.SelfTest(); faults == nil || faults[0].Group != "gemm" {
				t.Errorf("%s with a broken %s: faults %+v", good.Level, spoil.name, faults)
			}
			c, err := choose([]*Set{levels[0], &broken}, "")
			if err != nil || c.Set != levels[0] {
				t.Errorf("%s with a broken %s: chose %s, %v", good.Level, spoil.name, c.Set.Level, err)
			}
			if want := fmt.Sprintf("%s gemm (", good.Level); !slices.ContainsFunc(c.Faults, func(f Fault) bool { return f.Level+" "+f.Group+" (" == want }) {
				t.Errorf("verdict %q does not say %q", c, want)
			}
		}
	}
}
