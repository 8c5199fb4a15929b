package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// 1<<logAhead is the distance, in k, at which the gather asks for rows: they lie a row of the
// matrix apart, mostly on pages of their own, where the processor does not guess them.
const logAhead = 3

// gather writes the copy that packs a matrix whose k runs down its columns.
func gather() {
	TEXT("gemmGatherAVX2", NOSPLIT|NOFRAME, "func(dst []float32, width int, src []float32, stride, strips, k int)")
	Pragma("noescape")
	Doc("gemmGatherAVX2 is gemmGatherGeneric for whole strips of 6, 14, 16 or 32, strips > 0 and k > 0.")
	dst, width, dstStrip := RDI, RAX, RBX
	src, stride, fetch := RSI, RDX, R8
	strips, k := R9, RCX
	to, from, left := R10, R11, R12
	Load(Param("dst").Base(), dst)
	Load(Param("width"), width)
	Load(Param("src").Base(), src)
	Load(Param("stride"), stride)
	Load(Param("strips"), strips)
	Load(Param("k"), k)
	SHLQ(Imm(2), width)
	SHLQ(Imm(2), stride)
	MOVQ(k, dstStrip)
	IMULQ(width, dstStrip)
	MOVQ(stride, fetch)
	SHLQ(Imm(logAhead), fetch)
	for _, w := range []int{6, 14, 16} {
		CMPQ(width, U32(uint32(4*w)))
		JEQ(LabelRef(fmt.Sprintf("gather%d", w)))
	}
	for _, w := range []int{32, 16, 14, 6} {
		name := fmt.Sprintf("gather%d", w)
		Label(name)
		MOVQ(dst, to)
		MOVQ(src, from)
		MOVQ(strips, left)
		Label(name + "_strip")
		PREFETCHT0(Mem{Base: from, Index: fetch, Scale: 1})
		if w > 16 {
			PREFETCHT0(Mem{Base: from, Index: fetch, Scale: 1, Disp: 64})
		}
		size, regs := 8, []VecPhysical{Y0, Y1, Y2, Y3}
		if w < 8 {
			size, regs = 4, []VecPhysical{X0, X1}
		}
		// The last vector ends with the strip, over a part of the one before it.
		var at []int
		for x := 0; x < w; x += size {
			at = append(at, 4*min(x, w-size))
		}
		for i, x := range at {
			VMOVUPS(Mem{Base: from, Disp: x}, regs[i])
		}
		for i, x := range at {
			VMOVUPS(regs[i], Mem{Base: to, Disp: x})
		}
		ADDQ(Imm(uint64(4*w)), from)
		ADDQ(dstStrip, to)
		DECQ(left)
		JNZ(LabelRef(name + "_strip"))
		ADDQ(stride, src)
		ADDQ(width, dst)
		DECQ(k)
		JNZ(LabelRef(name))
		VZEROUPPER()
		RET()
	}
}
