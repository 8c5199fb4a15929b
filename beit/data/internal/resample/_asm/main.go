// Command _asm writes the AVX2 loops of package resample.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

const precision = 22

func main() {
	ConstraintExpr("amd64,!purego")
	row()
	column()
	Generate()
}

// rounding fills a register with one half.
func rounding(v VecVirtual) {
	one := GP32()
	MOVL(U32(1<<(precision-1)), one)
	x := XMM()
	VMOVD(one, x)
	VPBROADCASTD(x, v)
}

// row sums the pixels of each window in four lanes, the last of which is the red of the next pixel and of no use.
func row() {
	TEXT("rowAVX2", NOSPLIT, "func(dst, src *uint8, from, weights *int32, n, taps int)")
	Doc("rowAVX2 is rowGeneric for n pixels. It reads one byte after the last pixel of each window and writes one after each pixel.")
	Pragma("noescape")
	dst, src := Load(Param("dst"), GP64()), Load(Param("src"), GP64())
	from, weights := Load(Param("from"), GP64()), Load(Param("weights"), GP64())
	n, taps := Load(Param("n"), GP64()), Load(Param("taps"), GP64())
	half := XMM()
	rounding(half)
	Label("pixel")
	at, k := GP64(), GP64()
	MOVLQSX(Mem{Base: from}, at)
	LEAQ(Mem{Base: at, Index: at, Scale: 2}, at)
	ADDQ(src, at)
	even, odd := XMM(), XMM()
	VMOVDQA(half, even)
	VPXOR(odd, odd, odd)
	MOVQ(taps, k)
	SUBQ(Imm(2), k)
	JLT(LabelRef("last"))
	a, b, wa, wb := XMM(), XMM(), XMM(), XMM()
	Label("pair")
	VPMOVZXBD(Mem{Base: at}, a)
	VPMOVZXBD(Mem{Base: at, Disp: 3}, b)
	VPBROADCASTD(Mem{Base: weights}, wa)
	VPBROADCASTD(Mem{Base: weights, Disp: 4}, wb)
	VPMULLD(wa, a, a)
	VPMULLD(wb, b, b)
	VPADDD(a, even, even)
	VPADDD(b, odd, odd)
	ADDQ(Imm(6), at)
	ADDQ(Imm(8), weights)
	SUBQ(Imm(2), k)
	JGE(LabelRef("pair"))
	Label("last")
	CMPQ(k, I32(-1))
	JNE(LabelRef("store"))
	VPMOVZXBD(Mem{Base: at}, a)
	VPBROADCASTD(Mem{Base: weights}, wa)
	VPMULLD(wa, a, a)
	VPADDD(a, even, even)
	ADDQ(Imm(4), weights)
	Label("store")
	VPADDD(odd, even, even)
	VPSRAD(Imm(precision), even, even)
	VPACKUSDW(even, even, even)
	VPACKUSWB(even, even, even)
	VMOVD(even, Mem{Base: dst})
	ADDQ(Imm(3), dst)
	ADDQ(Imm(4), from)
	DECQ(n)
	JNE(LabelRef("pixel"))
	RET()
}

// column sums 32 values at a time.
func column() {
	TEXT("columnAVX2", NOSPLIT, "func(dst, src *uint8, weights *int32, n, stride, taps int)")
	Doc("columnAVX2 is columnGeneric for n values, a multiple of 32, of rows that begin stride bytes apart.")
	Pragma("noescape")
	dst, src, weights := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("weights"), GP64())
	n, stride, taps := Load(Param("n"), GP64()), Load(Param("stride"), GP64()), Load(Param("taps"), GP64())
	order := YMM()
	VMOVDQU(permutation(), order)
	half := YMM()
	rounding(half)
	Label("block")
	var sums, in [4]VecVirtual
	for i := range sums {
		sums[i], in[i] = YMM(), YMM()
		VMOVDQA(half, sums[i])
	}
	at, w, k := GP64(), GP64(), GP64()
	MOVQ(src, at)
	MOVQ(weights, w)
	MOVQ(taps, k)
	weight := YMM()
	Label("tap")
	VPBROADCASTD(Mem{Base: w}, weight)
	for i := range sums {
		VPMOVZXBD(Mem{Base: at, Disp: 8 * i}, in[i])
		VPMULLD(weight, in[i], in[i])
		VPADDD(in[i], sums[i], sums[i])
	}
	ADDQ(stride, at)
	ADDQ(Imm(4), w)
	DECQ(k)
	JNE(LabelRef("tap"))
	for _, s := range sums {
		VPSRAD(Imm(precision), s, s)
	}
	VPACKUSDW(sums[1], sums[0], sums[0])
	VPACKUSDW(sums[3], sums[2], sums[2])
	VPACKUSWB(sums[2], sums[0], sums[0])
	VPERMD(sums[0], order, sums[0])
	VMOVDQU(sums[0], Mem{Base: dst})
	ADDQ(Imm(32), dst)
	ADDQ(Imm(32), src)
	SUBQ(Imm(32), n)
	JNE(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// permutation undoes the order of packing, which works in halves of 128 bits.
func permutation() Mem {
	m := GLOBL("permutation", RODATA|NOPTR)
	for i, v := range []uint32{0, 4, 1, 5, 2, 6, 3, 7} {
		DATA(4*i, U32(v))
	}
	return m
}
