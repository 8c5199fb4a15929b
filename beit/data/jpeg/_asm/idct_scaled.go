package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Constants of the Go twins, with 13 fractional bits.
const (
	r0211 = 1730
	r0509 = 4176
	r0601 = 4926
	r0720 = 5906
	r0850 = 6967
	r1061 = 8697
	r1272 = 10426
	r1451 = 11893
	r2172 = 17799
	r3624 = 29692
)

// idct4 is built as the full one is, with four outputs of each pass.
func idct4(order, square, middle Mem) {
	f := factors{
		even: [4]Mem{words("quarter0", 2*one, 0), {}, words("quarter1", c1847, -c0765)},
		odd: [4][2]Mem{
			{words("quarter2a", c2562, c0899), words("quarter2b", -r0601, -r0509)},
			{words("quarter3a", r1061, -r2172), words("quarter3b", r1451, -r0211)},
		},
	}
	half1, half2 := doubles("half3", 1<<11), doubles("half4", 1<<18)
	TEXT("idct4AVX2", NOSPLIT, "func(dst *uint8, stride int, b, step *int16)")
	Doc("idct4AVX2 is idct4Generic for 4 rows that begin stride bytes apart.")
	Pragma("noescape")
	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	b, step := Load(Param("b"), GP64()), Load(Param("step"), GP64())
	out := pass4(f, loadPairs(b, step), half1, 12)
	p := vectors(2)
	for i := range p {
		VPACKSSDW(out[i+2], out[i], p[i])
		VPERMQ(Imm(0xd8), p[i], p[i]) // row i in the lower half, row i+2 in the upper one
		VPSHUFB(order, p[i], p[i])
	}
	// Pairs of the rows 0 and 1 in the lower half, of 2 and 3 in the upper one.
	low, high := YMM(), YMM()
	VPUNPCKLDQ(p[1], p[0], low)
	VPUNPCKHDQ(p[1], p[0], high)
	var pairs [4]VecVirtual
	for i, v := range []VecVirtual{low, high} {
		pairs[2*i], pairs[2*i+1] = YMM(), YMM()
		VPERMQ(Imm(0x08), v, pairs[2*i])
		VPERMQ(Imm(0x0d), v, pairs[2*i+1])
	}
	out = pass4(f, pairs, half2, 19)
	VPACKSSDW(out[1], out[0], out[0])
	VPACKSSDW(out[3], out[2], out[2])
	VPACKSSWB(out[2], out[0], out[0])
	VPADDB(middle, out[0], out[0])
	VPSHUFB(square, out[0], out[0])
	rows := out[0].AsX()
	VMOVD(rows, Mem{Base: dst})
	VPEXTRD(Imm(1), rows, Mem{Base: dst, Index: stride, Scale: 1})
	LEAQ(Mem{Base: dst, Index: stride, Scale: 2}, dst)
	VPEXTRD(Imm(2), rows, Mem{Base: dst})
	VPEXTRD(Imm(3), rows, Mem{Base: dst, Index: stride, Scale: 1})
	VZEROUPPER()
	RET()
}

// pass4 transforms columns of 8 values to 4.
func pass4(f factors, pairs [4]VecVirtual, half Mem, shift uint64) (out [4]VecVirtual) {
	e, z := YMM(), YMM()
	VPMADDWD(f.even[0], pairs[0], e)
	VPADDD(half, e, e)
	VPMADDWD(f.even[2], pairs[1], z)
	a := vectors(2)
	VPADDD(z, e, a[0])
	VPSUBD(z, e, a[1])
	for i, v := range a {
		odd, more := YMM(), YMM()
		VPMADDWD(f.odd[i][0], pairs[2], odd)
		VPMADDWD(f.odd[i][1], pairs[3], more)
		VPADDD(more, odd, odd)
		out[i], out[3-i] = YMM(), YMM()
		VPADDD(odd, v, out[i])
		VPSUBD(odd, v, out[3-i])
		VPSRAD(Imm(shift), out[i], out[i])
		VPSRAD(Imm(shift), out[3-i], out[3-i])
	}
	return out
}

// idct2 has one row in each half of a register after the first pass.
func idct2(order, middle Mem) {
	even := words("eighth0", 2*one, 0)
	odd := [2]Mem{words("eighth1a", r3624, -r1272), words("eighth1b", r0850, -r0720)}
	all := words("eighth", 2*one, 0, 0, 0, r3624, -r1272, r0850, -r0720)
	half1, half2 := doubles("half5", 1<<12), doubles("half6", 1<<19)
	signs := words("signs", 1, 0, -1, -1, 1, 0, -1, -1) // 1 and -1, of 32 bits
	TEXT("idct2AVX2", NOSPLIT, "func(dst *uint8, stride int, b, step *int16)")
	Doc("idct2AVX2 is idct2Generic for 2 rows that begin stride bytes apart.")
	Pragma("noescape")
	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	b, step := Load(Param("b"), GP64()), Load(Param("step"), GP64())
	pairs := loadPairs(b, step)
	v := vectors(4)
	VPMADDWD(even, pairs[0], v[0])
	VPSLLD(Imm(1), v[0], v[0])
	VPADDD(half1, v[0], v[0])
	VPMADDWD(odd[0], pairs[2], v[1])
	VPMADDWD(odd[1], pairs[3], v[2])
	VPADDD(v[2], v[1], v[1])
	VPSUBD(v[1], v[0], v[2])
	VPADDD(v[1], v[0], v[0])
	VPSRAD(Imm(13), v[0], v[0])
	VPSRAD(Imm(13), v[2], v[2])
	VPACKSSDW(v[2], v[0], v[0])
	VPERMQ(Imm(0xd8), v[0], v[0])
	VPSHUFB(order, v[0], v[0])
	VPMADDWD(all, v[0], v[0])
	VPHADDD(v[0], v[0], v[0]) // half of the even part, the odd part
	VPSHUFD(Imm(0x00), v[0], v[1])
	VPSHUFD(Imm(0x55), v[0], v[2])
	VPSLLD(Imm(1), v[1], v[1])
	VPSIGND(signs, v[2], v[2])
	VPADDD(half2, v[1], v[1])
	VPADDD(v[2], v[1], v[1])
	VPSRAD(Imm(20), v[1], v[1])
	VPACKSSDW(v[1], v[1], v[1])
	VPACKSSWB(v[1], v[1], v[1])
	VPADDB(middle, v[1], v[1])
	VPEXTRW(Imm(0), v[1].AsX(), Mem{Base: dst})
	VEXTRACTI128(Imm(1), v[1], v[1].AsX())
	VPEXTRW(Imm(0), v[1].AsX(), Mem{Base: dst, Index: stride, Scale: 1})
	VZEROUPPER()
	RET()
}
