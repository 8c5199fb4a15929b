package main

import (
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// x86 is the machine of the AVX2 and AVX-512 levels. Its V is a register, its word holds a Mem, its
// mask is a vector on AVX2 and a mask register on AVX-512.
type x86 struct {
	level string
	lanes int  // float32 in a vector
	wide  bool // AVX-512: mask registers, broadcasts from memory within an instruction

	table  Mem
	offset map[uint32]int // bits of a constant to its place in table
	order  []uint32
	masks  Mem // AVX2: 8 lanes of ones, then 8 of zeros

	tail mask // lanes in use, nil outside the tail
}

type vector = reg.VecVirtual

func newX86(level string, lanes int) *x86 {
	ConstraintExpr("amd64,!purego")
	m := &x86{level: level, lanes: lanes, wide: lanes == 16, offset: map[uint32]int{}}
	if !m.wide {
		m.masks = GLOBL("vecLanes"+level, 8|16) // RODATA|NOPTR
		for i := range 16 {
			lane := U32(0)
			if i < 8 {
				lane = 0xffffffff
			}
			DATA(4*i, lane)
		}
	}
	m.table = GLOBL("vecConst"+level, 8|16)
	return m
}

func (m *x86) bits(b uint32) word {
	at, ok := m.offset[b]
	if !ok {
		at = 4 * len(m.order)
		m.offset[b] = at
		m.order = append(m.order, b)
	}
	return word{m.table.Offset(at)}
}

// write fills the table of constants, the last global that was opened, and writes the files.
func (m *x86) write() {
	for i, b := range m.order {
		DATA(4*i, U32(b))
	}
	Generate()
}

func (m *x86) reg() vector {
	if m.wide {
		return ZMM()
	}
	return YMM()
}

func (m *x86) fill(w word) V {
	v := m.reg()
	VBROADCASTSS(w.at.(Mem), v)
	return v
}

func (m *x86) zero() V {
	v := m.reg()
	if m.wide {
		VPXORD(v, v, v)
	} else {
		VPXOR(v, v, v)
	}
	return v
}

func (m *x86) copy(a V) V {
	v := m.reg()
	VMOVAPS(a.(vector), v)
	return v
}

// arithmetic is an instruction and its form that broadcasts the first operand from memory.
type arithmetic struct{ plain, broadcast func(...Op) }

var x86Operations = [...]arithmetic{
	addF: {VADDPS, VADDPS_BCST},
	subF: {VSUBPS, VSUBPS_BCST},
	mulF: {VMULPS, VMULPS_BCST},
	divF: {VDIVPS, VDIVPS_BCST},
	and:  {VANDPS, VANDPS_BCST},
	or:   {VORPS, VORPS_BCST},
	addI: {VPADDD, VPADDD_BCST},
	subI: {VPSUBD, VPSUBD_BCST},
}

var (
	maxps  = arithmetic{VMAXPS, VMAXPS_BCST}
	minps  = arithmetic{VMINPS, VMINPS_BCST}
	fma213 = arithmetic{VFMADD213PS, VFMADD213PS_BCST}
	fma231 = arithmetic{VFMADD231PS, VFMADD231PS_BCST}
	fnm231 = arithmetic{VFNMADD231PS, VFNMADD231PS_BCST}
)

// emit writes the instruction; b is a V or a word.
func (m *x86) emit(op arithmetic, b any, rest ...Op) {
	switch b := b.(type) {
	case word:
		if m.wide {
			op.broadcast(append([]Op{b.at.(Mem)}, rest...)...)
			return
		}
		op.plain(append([]Op{m.fill(b).(vector)}, rest...)...)
	case vector:
		op.plain(append([]Op{b}, rest...)...)
	default:
		log.Fatalf("vec: operand of type %T", b)
	}
}

// binary is a new register with a op b.
func (m *x86) binary(op arithmetic, a V, b any) V {
	v := m.reg()
	m.emit(op, b, a.(vector), v)
	return v
}

func (m *x86) op(o operation, a V, b any) V { return m.binary(x86Operations[o], a, b) }

// The instructions return the operand written first when either is NaN.

func (m *x86) atMost(x V, w word) V  { return m.binary(minps, m.fill(w), x) }
func (m *x86) atLeast(x V, w word) V { return m.binary(maxps, m.fill(w), x) }

func (m *x86) maxOrNaN(a, b V) V { return m.keepNaN(maxps, a, b) }
func (m *x86) minOrNaN(a, b V) V { return m.keepNaN(minps, a, b) }

func (m *x86) keepNaN(op arithmetic, a, b V) V {
	return m.choose(m.compare(unordered, a, a), a, m.binary(op, a, b))
}

func (m *x86) sqrt(x V) V {
	v := m.reg()
	VSQRTPS(x.(vector), v)
	return v
}

func (m *x86) mulThenAdd(p, x V, c any)  { m.emit(fma213, c, x.(vector), p.(vector)) }
func (m *x86) addProduct(s, a V, b any)  { m.emit(fma231, b, a.(vector), s.(vector)) }
func (m *x86) lessProduct(s, a V, b any) { m.emit(fnm231, b, a.(vector), s.(vector)) }
func (m *x86) addInto(s, a V)            { VADDPS(a.(vector), s.(vector), s.(vector)) }
func (m *x86) add64Into(s, a V)          { VADDPD(a.(vector), s.(vector), s.(vector)) }
func (m *x86) maxUnsignedInto(s, a V)    { VPMAXUD(a.(vector), s.(vector), s.(vector)) }

// maxNumberInto leaves s where x is NaN.
func (m *x86) maxNumberInto(s, x V) { VMAXPS(s.(vector), x.(vector), s.(vector)) }

func (m *x86) addSquares64(lowSum, highSum, x V) {
	low, high := m.reg(), m.reg()
	if m.wide {
		VCVTPS2PD(x.(vector).AsY(), low)
		upper := YMM()
		VEXTRACTF64X4(U8(1), x.(vector), upper)
		VCVTPS2PD(upper, high)
	} else {
		VCVTPS2PD(x.(vector).AsX(), low)
		upper := XMM()
		VEXTRACTF128(U8(1), x.(vector), upper)
		VCVTPS2PD(upper, high)
	}
	VFMADD231PD(low, low, lowSum.(vector))
	VFMADD231PD(high, high, highSum.(vector))
}

func (m *x86) shift(kind shift, n int, a V) V {
	v := m.reg()
	[...]func(...Op){left: VPSLLD, rightSigned: VPSRAD, right: VPSRLD}[kind](U8(uint8(n)), a.(vector), v)
	return v
}

func (m *x86) fromInteger(k V) V {
	v := m.reg()
	VCVTDQ2PS(k.(vector), v)
	return v
}

func (m *x86) scale(p, n V) V {
	if !m.wide {
		return nil
	}
	y := m.reg()
	VSCALEFPS(n.(vector), p.(vector), y)
	return y
}

// compare is the mask of the lanes in which a predicate b holds.
func (m *x86) compare(p predicate, a V, b any) mask {
	if m.wide {
		k := K()
		m.emit(arithmetic{
			func(o ...Op) { VCMPPS(append([]Op{U8(p)}, o...)...) },
			func(o ...Op) { VCMPPS_BCST(append([]Op{U8(p)}, o...)...) },
		}, b, a.(vector), k)
		return k
	}
	v := m.reg()
	if w, ok := b.(word); ok {
		b = m.fill(w)
	}
	VCMPPS(U8(p), b.(vector), a.(vector), v)
	return v
}

func (m *x86) choose(k mask, yes, no V) V {
	v := m.reg()
	if m.wide {
		VBLENDMPS(yes.(vector), no.(vector), k.(Op), v)
	} else {
		VBLENDVPS(k.(Op), yes.(vector), no.(vector), v)
	}
	return v
}

func (m *x86) used(v, other V) V {
	if m.tail == nil {
		return v
	}
	return m.choose(m.tail, v, other)
}
