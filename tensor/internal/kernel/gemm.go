package kernel

import "fmt"

// GemmFuncs are the matmul micro-kernels of one level.
//
// For each block of K (see gemmDepth), an element of C is one chain of multiply-adds over ascending
// k from zero. These sums are added to C in ascending order. The position and size of the tile, and
// whether its operands were packed or made, do not change the result.
type GemmFuncs struct {
	rows, cols int // the largest tile

	// tile computes an m x n tile of C = A·B, or C += A·B with accumulate. See gemmTileGeneric.
	// 1 <= m <= rows, 1 <= n <= cols, k >= 1.
	tile func(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool)

	// gather copies rows that run across k into panels. See gemmGatherGeneric.
	gather func(dst []float32, width int, src []float32, stride, strips, k int)

	// transpose copies rows that run along k into a panel. See gemmTransposeGeneric.
	transpose func(dst []float32, ld int, src []float32, stride, rows, k int)

	// pairs serves precision Medium, tiles Medium and High; nil where the level has nothing of the kind. At most one is there.
	pairs *gemmPairs
	tiles *gemmTiles

	peak gemmPeak
}

// GemmArgs are the arguments of MatMul: C = A·B, or C += A·B with Accumulate.
//
// A is M x K with element (i,k) at A[i*ARow+k*ACol]. B is K x N with element (k,j) at
// B[k*BRow+j*BCol]. C is M x N with element (i,j) at C[i*CRow+j]. Any of the strides of A and B may
// be 1, which covers all four transpose cases.
type GemmArgs struct {
	M, N, K    int
	A          []float32
	ARow, ACol int
	B          []float32
	BRow, BCol int
	C          []float32
	CRow       int
	// AFrom and BFrom, when not nil, stand for A and B: they make the parts that are packed, so that a
	// matrix which follows from something smaller need not exist as a whole. They write rows x cols
	// elements of the matrix, from (row, col) on, to dst, element (r, c) at dst[r*ld+c]. Many goroutines
	// call them at once, for some parts more than once.
	AFrom, BFrom func(dst []float32, ld, row, col, rows, cols int)
	Accumulate   bool
	Precision    Precision
	// Epilogue, when not nil, is called once for each finished piece of a row of C, while it is in
	// cache, by the goroutine that computed it. c is C[i*CRow+j : i*CRow+j+len(c)].
	Epilogue func(i, j int, c []float32)
	// Serial keeps the matmul on the calling goroutine (for callers that are parallel already).
	Serial bool
}

// Precision is the precision of the multiplications of MatMul; all sums are float32. A level without a faster way than float32 for a
// precision uses float32 (see Set.Supports).
type Precision uint8

// The precisions, in the order of those of package tensor.
const (
	Highest Precision = iota // float32
	High                     // A and B each in two pieces of bfloat16; see gemmTiles
	Medium                   // A and B rounded to bfloat16
)

// Supports reports whether matmuls at precision p differ on this level from those at Highest.
func (s *Set) Supports(p Precision) bool {
	return p != Highest && s.Gemm.tiles != nil || p == Medium && s.Gemm.pairs != nil
}

// MatMul computes g on this level. The bits of an element of C depend on its row of A, its
// column of B, K and Precision alone: not on M, N, strides, threads or Serial. It panics when a slice
// is too short for its sizes and strides.
func (s *Set) MatMul(g GemmArgs) {
	if g.M <= 0 || g.N <= 0 {
		return
	}
	g.check()
	if g.K <= 0 {
		g.empty()
		return
	}
	j := gemmJobs.Get().(*gemmJob)
	j.run(&s.Gemm, g)
	j.release()
	gemmJobs.Put(j)
}

// check panics when an operand does not lie within its slice; the kernels do not look.
func (g *GemmArgs) check() {
	within := func(name string, have, rows, row, cols, col int) {
		if row < 0 || col < 0 || rows > 0 && cols > 0 && have <= (rows-1)*row+(cols-1)*col {
			panic(fmt.Sprintf("kernel: MatMul: %s of %d elements is too short for [%d %d] with strides [%d %d]",
				name, have, rows, cols, row, col))
		}
	}
	if g.AFrom == nil {
		within("A", len(g.A), g.M, g.ARow, g.K, g.ACol)
	}
	if g.BFrom == nil {
		within("B", len(g.B), g.K, g.BRow, g.N, g.BCol)
	}
	within("C", len(g.C), g.M, g.CRow, g.N, 1)
}

// empty is the product over no k at all.
func (g *GemmArgs) empty() {
	for i := range g.M {
		c := g.C[i*g.CRow:][:g.N]
		if !g.Accumulate {
			clear(c)
		}
		if g.Epilogue != nil {
			g.Epilogue(i, 0, c)
		}
	}
}
