package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Constants of the Go twin, with 13 fractional bits.
const (
	one   = 1 << 13
	c0541 = 4433
	c0765 = 6270
	c1847 = 15137
	c1175 = 9633
	c0298 = 2446
	c2053 = 16819
	c3072 = 25172
	c1501 = 12299
	c0899 = 7373
	c2562 = 20995
	c1961 = 16069
	c0390 = 3196
)

// factors holds what the inputs of a pair are multiplied by, and whose sum of products they enter.
type factors struct {
	even [4]Mem    // of inputs 0 and 4, 0 and 4, 2 and 6, 2 and 6
	odd  [4][2]Mem // of inputs 1 and 3, and 5 and 7
}

// coefficients writes the sums of the Go twin as one product for each input.
func coefficients() (f factors) {
	f.even = [4]Mem{
		words("even0", one, one), words("even1", one, -one),
		words("even2", c0541, c0541-c1847), words("even3", c0541+c0765, c0541),
	}
	f.odd = [4][2]Mem{
		{words("odd0a", c1501-c0899+c1175-c0390, c1175), words("odd0b", c1175-c0390, c1175-c0899)},
		{words("odd1a", c1175, c3072-c2562+c1175-c1961), words("odd1b", c1175-c2562, c1175-c1961)},
		{words("odd2a", c1175-c0390, c1175-c2562), words("odd2b", c2053-c2562+c1175-c0390, c1175)},
		{words("odd3a", c1175-c0899, c1175-c1961), words("odd3b", c1175, c0298-c0899+c1175-c1961)},
	}
	return f
}

// inverses writes the three inverse DCTs, beginning with the full one. It holds a block in registers. Each register of a pass has two of the eight inputs, word by word in turn, so that a multiplication adds the
// products of both.
func inverses() {
	f := coefficients()
	half1, half2 := doubles("half1", 1<<10), doubles("half2", 1<<17)
	order := shuffle("pairsOfRow", [16]int8{0, 1, 8, 9, 4, 5, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15})
	square := shuffle("transposed", [16]int8{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15})
	middle := words("middle", -0x7f80) // 80 80

	TEXT("idctAVX2", NOSPLIT, "func(dst *uint8, stride int, b, step *int16)")
	Doc("idctAVX2 is idctGeneric for 8 rows that begin stride bytes apart.")
	Pragma("noescape")
	dst, stride := Load(Param("dst"), GP64()), Load(Param("stride"), GP64())
	b, step := Load(Param("b"), GP64()), Load(Param("step"), GP64())
	out := pass(f, loadPairs(b, step), half1, 11)
	out = pass(f, pairsOfColumns(out, order), half2, 18)
	store(out, dst, stride, square, middle)
	VZEROUPPER()
	RET()
	idct4(order, square, middle)
	idct2(order, middle)
}

// loadPairs reads the rows 0 and 4, 2 and 6, 1 and 3, 5 and 7.
func loadPairs(b, step Register) (pairs [4]VecVirtual) {
	for i, rows := range [4][2]int{{0, 4}, {2, 6}, {1, 3}, {5, 7}} {
		x, y, high := XMM(), XMM(), XMM()
		VMOVDQU(Mem{Base: b, Disp: 16 * rows[0]}, x)
		VPMULLW(Mem{Base: step, Disp: 16 * rows[0]}, x, x)
		VMOVDQU(Mem{Base: b, Disp: 16 * rows[1]}, y)
		VPMULLW(Mem{Base: step, Disp: 16 * rows[1]}, y, y)
		VPUNPCKHWD(y, x, high)
		VPUNPCKLWD(y, x, x)
		pairs[i] = YMM()
		VINSERTI128(Imm(1), high, x.AsY(), pairs[i])
	}
	return pairs
}

// pass transforms 8 columns of 8 values each.
func pass(f factors, pairs [4]VecVirtual, half Mem, shift uint64) (out [8]VecVirtual) {
	e := vectors(4)
	for i := range e {
		VPMADDWD(f.even[i], pairs[i/2], e[i])
	}
	VPADDD(half, e[0], e[0])
	VPADDD(half, e[1], e[1])
	var a [4]VecVirtual
	copy(a[:], vectors(4))
	VPADDD(e[3], e[0], a[0])
	VPSUBD(e[3], e[0], a[3])
	VPADDD(e[2], e[1], a[1])
	VPSUBD(e[2], e[1], a[2])
	for i := range a {
		odd, more := YMM(), YMM()
		VPMADDWD(f.odd[i][0], pairs[2], odd)
		VPMADDWD(f.odd[i][1], pairs[3], more)
		VPADDD(more, odd, odd)
		out[i], out[7-i] = YMM(), YMM()
		VPADDD(odd, a[i], out[i])
		VPSUBD(odd, a[i], out[7-i])
		VPSRAD(Imm(shift), out[i], out[i])
		VPSRAD(Imm(shift), out[7-i], out[7-i])
	}
	return out
}

// pairsOfColumns makes the pairs of the second pass from the rows that the first one left.
func pairsOfColumns(rows [8]VecVirtual, order Mem) (pairs [4]VecVirtual) {
	p := vectors(4)
	for i := range p {
		VPACKSSDW(rows[i+4], rows[i], p[i])
		VPERMQ(Imm(0xd8), p[i], p[i]) // row i in the lower half, row i+4 in the upper one
		VPSHUFB(order, p[i], p[i])
	}
	// Now a row is four pairs: transpose them in both halves.
	q := vectors(4)
	VPUNPCKLDQ(p[1], p[0], q[0])
	VPUNPCKHDQ(p[1], p[0], q[1])
	VPUNPCKLDQ(p[3], p[2], q[2])
	VPUNPCKHDQ(p[3], p[2], q[3])
	copy(pairs[:], vectors(4))
	VPUNPCKLQDQ(q[2], q[0], pairs[0])
	VPUNPCKHQDQ(q[2], q[0], pairs[1])
	VPUNPCKLQDQ(q[3], q[1], pairs[2])
	VPUNPCKHQDQ(q[3], q[1], pairs[3])
	return pairs
}

// store writes columns as rows of bytes.
func store(columns [8]VecVirtual, dst, stride Register, square, middle Mem) {
	for i := 0; i < 8; i += 4 {
		VPACKSSDW(columns[i+1], columns[i], columns[i])
		VPACKSSDW(columns[i+3], columns[i+2], columns[i+2])
		VPACKSSWB(columns[i+2], columns[i], columns[i])
		VPADDB(middle, columns[i], columns[i])
		VPSHUFB(square, columns[i], columns[i]) // four columns of four rows become rows
	}
	low, high := YMM(), YMM()
	VPUNPCKLDQ(columns[4], columns[0], low)
	VPUNPCKHDQ(columns[4], columns[0], high)
	for range 2 {
		for _, rows := range []VecVirtual{low, high} {
			VMOVQ(rows.AsX(), Mem{Base: dst})
			VMOVHPS(rows.AsX(), Mem{Base: dst, Index: stride, Scale: 1})
			LEAQ(Mem{Base: dst, Index: stride, Scale: 2}, dst)
		}
		VEXTRACTI128(Imm(1), low, low.AsX())
		VEXTRACTI128(Imm(1), high, high.AsX())
	}
}
