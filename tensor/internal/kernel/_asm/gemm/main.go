// Command gemm writes the matmul kernels of the AVX2 and AVX-512 levels: one tile
// function per level, the two packing copies, which both share, and a tile function and
// packing copies for pairs of bfloat16, and a tile function of AMX.
//
// All tile functions but the last are the same loop, at different sizes or with another multiplication. A tile of C stays in
// registers; every step of k loads one row of B into registers, broadcasts one element
// of A after the other, and multiplies. Each tile height has a loop of its own, in a
// version for full vectors and in versions whose last vector is masked, so that a tile at
// the edge of the matrix needs neither padding nor scratch memory, and an element of C
// sees the same operations in the same order in whichever version it lands.
package main

import (
	"flag"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// level describes the tile function of one CPU level.
type level struct {
	name  string
	lanes int // float32 in a vector
	rows  int // largest tile height
	reg   func(i int) VecPhysical
	// loadMask sets the mask of the last vector from the count of its lanes in register n.
	loadMask func(n GPPhysical)
	// load reads a vector, only the masked lanes (zero in the others) where masked is set.
	load  func(src Mem, dst VecPhysical, masked bool)
	store func(src VecPhysical, dst Mem, masked bool)
	// multiply adds the products of x and y to sum.
	multiply func(x, y, sum VecPhysical)
}

// The general registers of a tile function.
var (
	b, bStride = RDI, RDX // the row of B at this k, bytes to the next
	a, aLow    = RSI, RBX // the column of A at this k: rows 0… and rows half…
	aStride    = RAX      // bytes to the next column of A
	k          = RCX
	m, n       = R8, R9 // dead once the loop is chosen, then 1 and 3 rows of A in bytes
	row        = [...]GPPhysical{1: R8, 3: R9, 5: R10}
	c, cStride = R11, R12 // C and bytes to its next row
	cRow       = R13      // the row of C being prefetched or stored
	accumulate = R15
)

const half = 7 // tiles higher than this address A from a second base

func main() {
	onARM := flag.Bool("neon", false, "write the NEON level instead (neon.go)")
	flag.Parse()
	if *onARM {
		neon()
		return
	}
	ConstraintExpr("amd64,!purego")
	levels := []level{avx2(), avx512(), bf16()}
	for _, l := range levels {
		l.tile()
	}
	transpose()
	gather()
	transposePairs()
	gatherPairs()
	tiles()
	for _, l := range levels {
		l.peak()
	}
	Generate()
}

func avx2() level {
	// Lanes -1 … -1, 0 … 0: a load at 4*(8-n) gives a mask of n lanes.
	table := GLOBL("gemmLanes", RODATA|NOPTR)
	for i := range 16 {
		lane := U32(0)
		if i < 8 {
			lane = 0xffffffff
		}
		DATA(4*i, lane)
	}
	ymm := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	mask := ymm[0]
	return level{
		name: "AVX2", lanes: 8, rows: 6,
		// Register 0 is the mask; the 3 after it are B and the broadcast, the rest C.
		reg: func(i int) VecPhysical { return ymm[i+1] },
		loadMask: func(n GPPhysical) {
			Comment("The mask of n lanes.")
			LEAQ(table, R10)
			NEGQ(n)
			VMOVDQU(Mem{Base: R10, Index: n, Scale: 4, Disp: 32}, mask)
		},
		load: func(src Mem, dst VecPhysical, masked bool) {
			if masked {
				VMASKMOVPS(src, mask, dst)
			} else {
				VMOVUPS(src, dst)
			}
		},
		store: func(src VecPhysical, dst Mem, masked bool) {
			if masked {
				VMASKMOVPS(src, mask, dst)
			} else {
				VMOVUPS(src, dst)
			}
		},
		multiply: func(x, y, sum VecPhysical) { VFMADD231PS(x, y, sum) },
	}
}

func avx512() level {
	return level{
		name: "AVX512", lanes: 16, rows: 14,
		reg: func(i int) VecPhysical { return zmm[i] },
		loadMask: func(n GPPhysical) {
			Comment("The mask of n lanes.")
			MOVQ(k, R13) // shifts count in CX
			MOVQ(n, RCX)
			MOVQ(U64(1), R10)
			SHLQ(CL, R10)
			DECQ(R10)
			KMOVW(R10.As32(), K1)
			MOVQ(R13, RCX)
		},
		load: func(src Mem, dst VecPhysical, masked bool) {
			if masked {
				VMOVUPS_Z(src, K1, dst)
			} else {
				VMOVUPS(src, dst)
			}
		},
		store: func(src VecPhysical, dst Mem, masked bool) {
			if masked {
				VMOVUPS(src, K1, dst)
			} else {
				VMOVUPS(src, dst)
			}
		},
		multiply: func(x, y, sum VecPhysical) { VFMADD231PS(x, y, sum) },
	}
}

// bf16 is avx512 on words of two bfloat16, so that a step of the loop is two of k.
func bf16() level {
	l := avx512()
	l.name, l.multiply = "BF16", dot
	return l
}

// tile writes the whole tile function of the level: it picks the loop for m and n.
func (l level) tile() {
	TEXT("gemmTile"+l.name, NOSPLIT|NOFRAME,
		"func(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool)")
	Pragma("noescape")
	switch l.name {
	case "BF16":
		Doc("gemmTileBF16 is gemmTileAVX512 on words that hold pairs of bfloat16, of which it adds both products,",
			"that of the upper halves first. Numbers that float32 holds as denormals count as zero, sums included.")
	default:
		Doc("gemmTile" + l.name + fmt.Sprintf(" is gemmTileGeneric for m <= %d and n <= %d.", l.rows, 2*l.lanes))
	}

	Load(Param("m"), m)
	Load(Param("n"), n)
	Load(Param("k"), k)
	Load(Param("a").Base(), a)
	Load(Param("aCol"), aStride)
	Load(Param("b").Base(), b)
	Load(Param("bRow"), bStride)
	Load(Param("c").Base(), c)
	Load(Param("cRow"), cStride)
	Load(Param("accumulate"), accumulate.As8())
	Comment("Strides in bytes.")
	SHLQ(Imm(2), aStride)
	SHLQ(Imm(2), bStride)
	SHLQ(Imm(2), cStride)

	CMPQ(n, U32(uint32(2*l.lanes)))
	JEQ(LabelRef(l.name + "_full"))
	CMPQ(n, U32(uint32(l.lanes)))
	JLE(LabelRef(l.name + "_one"))
	SUBQ(U32(uint32(l.lanes)), n)
	l.loadMask(n)
	l.choose("two")
	Label(l.name + "_one")
	l.loadMask(n)
	l.choose("one")
	Label(l.name + "_full")
	l.choose("full")

	for m := l.rows; m >= 1; m-- {
		l.loop(m, 2, false)
		l.loop(m, 2, true)
		l.loop(m, 1, true)
	}
}

func (l level) label(kind string, m int) string { return fmt.Sprintf("%s_%s%d", l.name, kind, m) }

func (l level) choose(kind string) {
	for h := l.rows; h > 1; h-- {
		CMPQ(m, U32(uint32(h)))
		JEQ(LabelRef(l.label(kind, h)))
	}
	JMP(LabelRef(l.label(kind, 1)))
}

// loop writes the product of an m x (vecs vectors) tile.
func (l level) loop(m, vecs int, masked bool) {
	kind := "full"
	if masked {
		kind = []string{1: "one", 2: "two"}[vecs]
	}
	name := l.label(kind, m)
	bv := func(v int) VecPhysical { return l.reg(v) }
	acc := func(r, v int) VecPhysical {
		// One broadcast register where all rows are in use, two elsewhere.
		return l.reg(vecs + l.spare(m, vecs) + r*vecs + v)
	}
	last := func(v int) bool { return masked && v == vecs-1 }

	Label(name)
	Comment("Fetch the tile of C while the products run.")
	for r := range m {
		p := Mem{Base: c}
		if r > 0 {
			p = Mem{Base: cRow}
			if r == 1 {
				LEAQ(Mem{Base: c, Index: cStride, Scale: 1}, cRow)
			} else {
				ADDQ(cStride, cRow)
			}
		}
		PREFETCHT0(p)
		if vecs*l.lanes > 16 {
			PREFETCHT0(p.Offset(64))
		}
	}
	if m > 1 {
		Load(Param("aRow"), row[1])
		SHLQ(Imm(2), row[1])
	}
	if m > 3 {
		LEAQ(Mem{Base: row[1], Index: row[1], Scale: 2}, row[3])
	}
	if m > 5 {
		LEAQ(Mem{Base: row[1], Index: row[1], Scale: 4}, row[5])
	}
	if m > half {
		Comment("Row 7 of A.")
		LEAQ(Mem{Base: a, Index: row[3], Scale: 2}, aLow)
		ADDQ(row[1], aLow)
	}
	for r := range m {
		for v := range vecs {
			l.zero(acc(r, v))
		}
	}
	Label(name + "_k")
	for v := range vecs {
		l.load(Mem{Base: b, Disp: 4 * l.lanes * v}, bv(v), last(v))
	}
	for r := range m {
		x := l.reg(vecs + r%l.spare(m, vecs))
		VBROADCASTSS(element(r), x)
		for v := range vecs {
			l.multiply(x, bv(v), acc(r, v))
		}
	}
	ADDQ(aStride, a)
	if m > half {
		ADDQ(aStride, aLow)
	}
	ADDQ(bStride, b)
	DECQ(k)
	JNZ(LabelRef(name + "_k"))

	TESTB(accumulate.As8(), accumulate.As8())
	JZ(LabelRef(name + "_store"))
	MOVQ(c, cRow)
	for r := range m {
		for v := range vecs {
			p := Mem{Base: cRow, Disp: 4 * l.lanes * v}
			if last(v) {
				l.load(p, bv(0), true)
				VADDPS(bv(0), acc(r, v), acc(r, v))
			} else {
				VADDPS(p, acc(r, v), acc(r, v))
			}
		}
		if r < m-1 {
			ADDQ(cStride, cRow)
		}
	}
	Label(name + "_store")
	for r := range m {
		for v := range vecs {
			l.store(acc(r, v), Mem{Base: c, Disp: 4 * l.lanes * v}, last(v))
		}
		if r < m-1 {
			ADDQ(cStride, c)
		}
	}
	VZEROUPPER()
	RET()
}

// spare is the number of registers that take turns at holding the broadcast element of A.
func (l level) spare(m, vecs int) int {
	if l.name == "AVX2" && m == l.rows && vecs == 2 {
		return 1
	}
	return 2
}

func (l level) zero(x VecPhysical) {
	if l.lanes == 16 {
		VPXORD(x, x, x)
	} else {
		VXORPS(x, x, x)
	}
}

// element is the address of row r in the current column of A.
func element(r int) Mem {
	base := a
	if r >= half {
		base, r = aLow, r-half
	}
	switch r {
	case 0:
		return Mem{Base: base}
	case 1, 3, 5:
		return Mem{Base: base, Index: row[r], Scale: 1}
	case 2, 4:
		return Mem{Base: base, Index: row[1], Scale: uint8(r)}
	default: // 6
		return Mem{Base: base, Index: row[3], Scale: 2}
	}
}
