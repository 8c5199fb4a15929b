package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// triple adds v twice to itself.
func triple(v, dst VecVirtual) {
	VPADDW(v, v, dst)
	VPADDW(v, dst, dst)
}

// twins writes the two pixels of each of 16 samples: low byte first. at holds three times the sample.
func twins(at, last, next VecVirtual, left, right Mem, shift uint64, dst Mem) {
	VPADDW(at, last, last)
	VPADDW(left, last, last)
	VPSRLW(Imm(shift), last, last)
	VPADDW(at, next, next)
	VPADDW(right, next, next)
	VPSRLW(Imm(shift), next, next)
	VPSLLW(Imm(8), next, next)
	VPOR(next, last, last)
	VMOVDQU(last, dst)
}

func double() {
	one, two := words("word1", 1), words("word2", 2)
	TEXT("doubleAVX2", NOSPLIT, "func(dst, src *uint8, n int)")
	Doc("doubleAVX2 is doubleGeneric for n samples, a multiple of 16. It reads n+2.")
	Pragma("noescape")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	Label("block")
	v := vectors(3)
	for i := range v {
		VPMOVZXBW(Mem{Base: src, Disp: i}, v[i])
	}
	at := YMM()
	triple(v[1], at)
	twins(at, v[0], v[2], one, two, 2, Mem{Base: dst})
	ADDQ(Imm(16), src)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(16), n)
	JNE(LabelRef("block"))
	VZEROUPPER()
	RET()
}

func doubleMixed() {
	eight, seven := words("word8", 8), words("word7", 7)
	TEXT("doubleMixedAVX2", NOSPLIT, "func(dst, near, far *uint8, n int)")
	Doc("doubleMixedAVX2 is doubleMixedGeneric for n samples, a multiple of 16. It reads n+2.")
	Pragma("noescape")
	dst, near := Load(Param("dst"), GP64()), Load(Param("near"), GP64())
	far, n := Load(Param("far"), GP64()), Load(Param("n"), GP64())
	Label("mixedBlock")
	v := vectors(3)
	for i := range v {
		sample, other := YMM(), YMM()
		VPMOVZXBW(Mem{Base: near, Disp: i}, sample)
		VPMOVZXBW(Mem{Base: far, Disp: i}, other)
		triple(sample, v[i])
		VPADDW(other, v[i], v[i])
	}
	at := YMM()
	triple(v[1], at)
	twins(at, v[0], v[2], eight, seven, 4, Mem{Base: dst})
	ADDQ(Imm(16), near)
	ADDQ(Imm(16), far)
	ADDQ(Imm(32), dst)
	SUBQ(Imm(16), n)
	JNE(LabelRef("mixedBlock"))
	VZEROUPPER()
	RET()
}

// ycc converts 16 pixels at a time. Products keep their higher 16 bits, so factors above 1 are split into whole numbers and a rest.
func ycc() {
	middle, rounding := words("word128", 128), words("word1ycc", 1)
	red, blue := words("red", 91881-65536), words("blue", 116130-2*65536)
	green, half := words("green", -22554, 65536-46802), doubles("halfYCC", 1<<15)
	order := [4]Mem{
		shuffle("first16a", [16]int8{0, 8, -1, 1, 9, -1, 2, 10, -1, 3, 11, -1, 4, 12, -1, 5}),
		shuffle("first16b", [16]int8{-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1}),
		shuffle("last8a", [16]int8{13, -1, 6, 14, -1, 7, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1}),
		shuffle("last8b", [16]int8{-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, -1, -1, -1, -1, -1, -1}),
	}
	TEXT("yccAVX2", NOSPLIT, "func(dst, luma, cb, cr *uint8, n int)")
	Doc("yccAVX2 is yccGeneric for n pixels, a multiple of 16.")
	Pragma("noescape")
	dst, luma := Load(Param("dst"), GP64()), Load(Param("luma"), GP64())
	cb, cr, n := Load(Param("cb"), GP64()), Load(Param("cr"), GP64()), Load(Param("n"), GP64())
	Label("pixels")
	y, b, r := YMM(), YMM(), YMM()
	VPMOVZXBW(Mem{Base: luma}, y)
	VPMOVZXBW(Mem{Base: cb}, b)
	VPMOVZXBW(Mem{Base: cr}, r)
	VPSUBW(middle, b, b)
	VPSUBW(middle, r, r)
	g := greenOf(y, b, r, green, half)
	scaled := func(v VecVirtual, factor Mem) VecVirtual { // v times factor / 65536, rounded
		out := YMM()
		VPADDW(v, v, out)
		VPMULHW(factor, out, out)
		VPADDW(rounding, out, out)
		VPSRAW(Imm(1), out, out)
		return out
	}
	more := scaled(r, red)
	VPADDW(y, r, r)
	VPADDW(more, r, r)
	more = scaled(b, blue)
	VPADDW(b, b, b)
	VPADDW(y, b, b)
	VPADDW(more, b, b)
	VPACKUSWB(g, r, r)
	VPACKUSWB(b, b, b)
	interleave(r, b, order, dst)
	for _, p := range []Register{luma, cb, cr} {
		ADDQ(Imm(16), p)
	}
	ADDQ(Imm(48), dst)
	SUBQ(Imm(16), n)
	JNE(LabelRef("pixels"))
	VZEROUPPER()
	RET()
}

func greenOf(y, b, r VecVirtual, factors, half Mem) VecVirtual {
	low, high := YMM(), YMM()
	VPUNPCKLWD(r, b, low)
	VPUNPCKHWD(r, b, high)
	for _, v := range []VecVirtual{low, high} {
		VPMADDWD(factors, v, v)
		VPADDD(half, v, v)
		VPSRAD(Imm(16), v, v)
	}
	VPACKSSDW(high, low, low)
	VPADDW(y, low, low)
	VPSUBW(r, low, low)
	return low
}

// interleave writes 16 pixels. Each half of rg has 8 bytes of red and 8 of green, each half of b 8 of blue.
func interleave(rg, b VecVirtual, order [4]Mem, dst Register) {
	v := vectors(4)
	for i, from := range []VecVirtual{rg, b, rg, b} {
		VPSHUFB(order[i], from, v[i])
	}
	VPOR(v[1], v[0], v[0])
	VPOR(v[3], v[2], v[2])
	VMOVDQU(v[0].AsX(), Mem{Base: dst})
	VMOVQ(v[2].AsX(), Mem{Base: dst, Disp: 16})
	VEXTRACTI128(Imm(1), v[2], v[2].AsX())
	VEXTRACTI128(Imm(1), v[0], Mem{Base: dst, Disp: 24})
	VMOVQ(v[2].AsX(), Mem{Base: dst, Disp: 40})
}
