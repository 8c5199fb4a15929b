package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// transpose writes the copy that packs a matrix whose k runs along its rows. It moves
// blocks of 8 rows and 8 columns; of the rows, 8 or 6 (the rest of a 14-row panel, or
// a 6-row panel) are stored.
func transpose() {
	TEXT("gemmTransposeAVX2", NOSPLIT|NOFRAME, "func(dst []float32, ld int, src []float32, stride, rows, k int)")
	Pragma("noescape")
	Doc("gemmTransposeAVX2 is gemmTransposeGeneric for rows 8 or 6 and k > 0 a multiple of 8.")
	dst, ld := RDI, RAX
	src, low, stride, stride3 := RSI, RBX, RDX, R8 // low is row 4
	rows, k := R9, RCX
	Load(Param("dst").Base(), dst)
	Load(Param("ld"), ld)
	Load(Param("src").Base(), src)
	Load(Param("stride"), stride)
	Load(Param("rows"), rows)
	Load(Param("k"), k)
	SHLQ(Imm(2), ld)
	SHLQ(Imm(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: src, Index: stride, Scale: 4}, low)
	CMPQ(rows, Imm(6))
	JEQ(LabelRef("transpose6"))

	x := []VecPhysical{X0, X1, X2, X3}
	y := []VecPhysical{Y0, Y1, Y2, Y3}
	t := []VecPhysical{Y4, Y5, Y6, Y7}
	o := []VecPhysical{Y8, Y9, Y10, Y11}
	ox := []VecPhysical{X8, X9, X10, X11}
	rowAt := func(base GPPhysical, r, disp int) Mem {
		switch r {
		case 0:
			return Mem{Base: base, Disp: disp}
		case 3:
			return Mem{Base: base, Index: stride3, Scale: 1, Disp: disp}
		default:
			return Mem{Base: base, Index: stride, Scale: uint8(r), Disp: disp}
		}
	}
	for _, height := range []int{8, 6} {
		name := map[int]string{8: "transpose8", 6: "transpose6"}[height]
		Label(name)
		for part := range 2 { // columns 0…3, then 4…7
			Comment("Row r in the lower half, row r+4 in the upper; then 4 x 4 in each half.")
			for r := range 4 {
				VMOVUPS(rowAt(src, r, 16*part), x[r])
				if r+4 < height {
					VINSERTF128(Imm(1), rowAt(low, r, 16*part), y[r], y[r])
				}
			}
			VUNPCKLPS(y[1], y[0], t[0])
			VUNPCKHPS(y[1], y[0], t[1])
			VUNPCKLPS(y[3], y[2], t[2])
			VUNPCKHPS(y[3], y[2], t[3])
			VSHUFPS(Imm(0x44), t[2], t[0], o[0])
			VSHUFPS(Imm(0xee), t[2], t[0], o[1])
			VSHUFPS(Imm(0x44), t[3], t[1], o[2])
			VSHUFPS(Imm(0xee), t[3], t[1], o[3])
			for c := range 4 {
				if height == 8 {
					VMOVUPS(o[c], Mem{Base: dst})
				} else {
					VMOVUPS(ox[c], Mem{Base: dst})
					VEXTRACTF128(Imm(1), o[c], X12)
					VMOVLPS(X12, Mem{Base: dst, Disp: 16})
				}
				ADDQ(ld, dst)
			}
		}
		ADDQ(Imm(32), src)
		ADDQ(Imm(32), low)
		SUBQ(Imm(8), k)
		JNZ(LabelRef(name))
		VZEROUPPER()
		RET()
	}
}
