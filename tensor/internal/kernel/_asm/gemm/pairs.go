package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

var zmm = []VecPhysical{
	Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
	Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
}

// lowBits sets a mask to the lowest n bits, where n is clamped to 0 … 16. It changes CX and the register low.
func lowBits(n, low GPPhysical, mask OpmaskPhysical, name string) {
	MOVQ(n, RCX)
	CMPQ(RCX, Imm(16))
	JLE(LabelRef(name + "_small"))
	MOVQ(U32(16), RCX)
	Label(name + "_small")
	CMPQ(RCX, Imm(0))
	JGE(LabelRef(name + "_positive"))
	XORQ(RCX, RCX)
	Label(name + "_positive")
	MOVQ(U32(1), low)
	SHLQ(CL, low)
	DECQ(low)
	KMOVW(low.As32(), mask)
}

// gatherPairs writes the copy that packs pairs of rows whose k runs down the columns.
func gatherPairs() {
	TEXT("gemmGatherBF16", NOSPLIT|NOFRAME, "func(dst []float32, ld int, src []float32, stride, width, strips, k int)")
	Pragma("noescape")
	Doc("gemmGatherBF16 packs strips > 0 strips of width columns, k > 0 rows of each, as packPairs does;",
		"ld is 16 or 32 and width at most ld. It writes all ld words of each pair of rows.")
	dst, dstRow, dstStrip := RDI, RAX, RBX
	src, stride, fetch, fetch2 := RSI, RDX, R8, R13
	strips, k, width := R9, R14, R15
	to, from, left := R10, R11, R12
	// Even words of the sum of both rows' columns come from the lower half, odd ones from the upper.
	table := GLOBL("gemmInterleave", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i|(16+i)<<16)))
	}
	order, zero := Z31, Z30
	Load(Param("width"), width)
	lowBits(width, R10, K1, "gatherBF16_first")
	MOVQ(width, R11)
	SUBQ(Imm(16), R11)
	lowBits(R11, R10, K2, "gatherBF16_second")
	Load(Param("dst").Base(), dst)
	Load(Param("ld"), dstRow)
	Load(Param("src").Base(), src)
	Load(Param("stride"), stride)
	Load(Param("strips"), strips)
	Load(Param("k"), k)
	LEAQ(table, R10)
	VMOVDQU32(Mem{Base: R10}, order)
	VPXORD(zero, zero, zero)
	SHLQ(Imm(2), dstRow)
	SHLQ(Imm(2), stride)
	SHLQ(Imm(2), width)
	MOVQ(k, dstStrip)
	INCQ(dstStrip)
	SHRQ(Imm(1), dstStrip)
	IMULQ(dstRow, dstStrip)
	MOVQ(stride, fetch)
	SHLQ(Imm(logAhead), fetch)
	LEAQ(Mem{Base: fetch, Index: stride, Scale: 1}, fetch2)
	CMPQ(dstRow, Imm(64))
	JEQ(LabelRef("gatherBF16_16"))
	for _, vecs := range []int{2, 1} {
		name := fmt.Sprintf("gatherBF16_%d", 16*vecs)
		strip := func(label string, both bool) {
			MOVQ(dst, to)
			MOVQ(src, from)
			MOVQ(strips, left)
			Label(label)
			for v := range vecs {
				mask := []OpmaskPhysical{K1, K2}[v]
				high := zero
				VMOVUPS_Z(Mem{Base: from, Disp: 64 * v}, mask, zmm[3*v])
				if both {
					PREFETCHT0(Mem{Base: from, Index: fetch, Scale: 1, Disp: 64 * v})
					PREFETCHT0(Mem{Base: from, Index: fetch2, Scale: 1, Disp: 64 * v})
					high = zmm[3*v+1]
					VMOVUPS_Z(Mem{Base: from, Index: stride, Scale: 1, Disp: 64 * v}, mask, high)
				}
				convert(zmm[3*v], high, zmm[3*v+2])
				VPERMW(zmm[3*v+2], order, zmm[3*v+2])
				VMOVDQU32(zmm[3*v+2], Mem{Base: to, Disp: 64 * v})
			}
			ADDQ(width, from)
			ADDQ(dstStrip, to)
			DECQ(left)
			JNZ(LabelRef(label))
		}
		Label(name)
		SUBQ(Imm(2), k)
		JLT(LabelRef(name + "_odd"))
		strip(name+"_strip", true)
		LEAQ(Mem{Base: src, Index: stride, Scale: 2}, src)
		ADDQ(dstRow, dst)
		JMP(LabelRef(name))
		Label(name + "_odd")
		CMPQ(k, I8(-1))
		JNE(LabelRef(name + "_done"))
		strip(name+"_last", false)
		Label(name + "_done")
		VZEROUPPER()
		RET()
	}
}

// transposePairs writes the copy that packs pairs whose k runs along the rows. A block is 16
// rows of 32 elements: a row, rounded, is 16 words, and the words are transposed.
func transposePairs() {
	TEXT("gemmTransposeBF16", NOSPLIT, "func(dst []float32, ld int, src []float32, stride, rows, k int)")
	Pragma("noescape")
	Doc("gemmTransposeBF16 packs 1 to 16 rows of k > 0 elements as packPairs does. It writes 16 words",
		"for each pair; those of missing rows repeat the last row.")
	dst, ld, k, at := RDI, RAX, R8, RBX
	row, rows, stride, pairs := RSI, R9, RDX, R10
	pointers := AllocLocal(16 * 8)
	Load(Param("dst").Base(), dst)
	Load(Param("ld"), ld)
	Load(Param("src").Base(), row)
	Load(Param("stride"), stride)
	Load(Param("rows"), rows)
	Load(Param("k"), k)
	SHLQ(Imm(2), ld)
	SHLQ(Imm(2), stride)
	XORQ(at, at)
	Comment("Where the rows start.")
	XORQ(RCX, RCX)
	Label("transposeBF16_rows")
	MOVQ(row, pointers.Idx(RCX, 8))
	DECQ(rows)
	JLE(LabelRef("transposeBF16_next"))
	ADDQ(stride, row)
	Label("transposeBF16_next")
	INCQ(RCX)
	CMPQ(RCX, Imm(16))
	JLT(LabelRef("transposeBF16_rows"))

	block := func(whole bool) {
		for r := range 16 {
			low, high := zmm[16], zmm[17]
			if r%2 == 1 {
				low, high = zmm[18], zmm[19]
			}
			MOVQ(pointers.Offset(8*r), row)
			if whole {
				VMOVUPS(Mem{Base: row, Index: at, Scale: 1}, low)
				VMOVUPS(Mem{Base: row, Index: at, Scale: 1, Disp: 64}, high)
			} else {
				VMOVUPS_Z(Mem{Base: row, Index: at, Scale: 1}, K1, low)
				VMOVUPS_Z(Mem{Base: row, Index: at, Scale: 1, Disp: 64}, K2, high)
			}
			convert(low, high, zmm[r])
		}
		for c, z := range transposed() {
			VMOVDQU32(z, Mem{Base: dst})
			ADDQ(ld, dst)
			if !whole && c < 15 {
				DECQ(pairs)
				JZ(LabelRef("transposeBF16_done"))
			}
		}
	}
	Label("transposeBF16_block")
	CMPQ(k, Imm(32))
	JLT(LabelRef("transposeBF16_rest"))
	block(true)
	ADDQ(U32(128), at)
	SUBQ(Imm(32), k)
	JMP(LabelRef("transposeBF16_block"))
	Label("transposeBF16_rest")
	TESTQ(k, k)
	JZ(LabelRef("transposeBF16_done"))
	LEAQ(Mem{Base: k, Disp: 1}, pairs)
	SHRQ(Imm(1), pairs)
	lowBits(k, R11, K1, "transposeBF16_first")
	SUBQ(Imm(16), k)
	lowBits(k, R11, K2, "transposeBF16_second")
	block(false)
	Label("transposeBF16_done")
	VZEROUPPER()
	RET()
}

// transposed transposes the 16 x 16 words of Z0 … Z15 and returns the registers of the columns.
func transposed() []VecPhysical {
	x, y := zmm[:16], zmm[16:]
	Comment("Pairs of rows, then fours: each 128-bit lane holds four rows of a column.")
	for i := 0; i < 16; i += 2 {
		VPUNPCKLDQ(x[i+1], x[i], y[i])
		VPUNPCKHDQ(x[i+1], x[i], y[i+1])
	}
	for i := 0; i < 16; i += 4 {
		VPUNPCKLQDQ(y[i+2], y[i], x[i])
		VPUNPCKHQDQ(y[i+2], y[i], x[i+1])
		VPUNPCKLQDQ(y[i+3], y[i+1], x[i+2])
		VPUNPCKHQDQ(y[i+3], y[i+1], x[i+3])
	}
	Comment("Lane l of register 4g+c is column 4l+c of rows 4g … 4g+3: transpose the lanes.")
	columns := make([]VecPhysical, 16)
	for c := range 4 {
		VSHUFI32X4(Imm(0x88), x[4+c], x[c], y[c]) // lanes 0 and 2 of both
		VSHUFI32X4(Imm(0xdd), x[4+c], x[c], y[4+c])
		VSHUFI32X4(Imm(0x88), x[12+c], x[8+c], y[8+c])
		VSHUFI32X4(Imm(0xdd), x[12+c], x[8+c], y[12+c])
	}
	for c := range 4 {
		VSHUFI32X4(Imm(0x88), y[8+c], y[c], x[c])
		VSHUFI32X4(Imm(0xdd), y[8+c], y[c], x[8+c])
		VSHUFI32X4(Imm(0x88), y[12+c], y[4+c], x[4+c])
		VSHUFI32X4(Imm(0xdd), y[12+c], y[4+c], x[12+c])
		columns[c], columns[4+c], columns[8+c], columns[12+c] = x[c], x[4+c], x[8+c], x[12+c]
	}
	return columns
}
