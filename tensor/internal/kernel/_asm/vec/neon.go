package main

import "github.com/gobeit/gobeit/tensor/internal/kernel/_asm/arm64"

// neon is the machine of the NEON level. Its V is a *arm64.V, its word holds the arm64.Mem of four
// equal words or of one, its mask is a *arm64.V with ones or zeros in each lane.
type neon struct {
	file  *arm64.File
	f     *arm64.Func
	table arm64.GP // address of the constants, for the function at hand

	offset map[uint32]int // bits of a constant to its place in the table
	words  []uint32       // each four times: a load fills a vector

	left   arm64.GP // the elements that remain, 1 to 3 in the tail
	tail   bool
	lane   arm64.GP // the tail's address of a lane
	labels int      // used by the tail
}

// single is the place of a word that stands there once.
type single struct{ arm64.Mem }

func newNEON() *neon { return &neon{file: new(arm64.File), offset: map[uint32]int{}} }

func (m *neon) write() {
	m.file.Data("vecConstNEON", m.words)
	m.file.Data("vecLanesNEON", []uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0), 0, 0, 0, 0})
	m.file.Write()
}

func (m *neon) bits(b uint32) word {
	at, ok := m.offset[b]
	if !ok {
		at = 4 * len(m.words)
		m.offset[b] = at
		m.words = append(m.words, b, b, b, b)
	}
	return word{arm64.Mem{Base: m.table, Disp: at}}
}

func (m *neon) fill(w word) V {
	v := m.f.Vec()
	switch at := w.at.(type) {
	case arm64.Mem:
		m.f.LDR(at, v, 16)
	case single:
		m.f.LDR(at.Mem, v, 4)
		m.f.Op2(arm64.DUP, v, v)
	}
	return v
}

// vec is the operand in a register.
func (m *neon) vec(b any) *arm64.V {
	if w, ok := b.(word); ok {
		b = m.fill(w)
	}
	return b.(*arm64.V)
}

func (m *neon) zero() V {
	v := m.f.Vec()
	m.f.MOVI(v, 0)
	return v
}

func (m *neon) copy(a V) V {
	v := m.f.Vec()
	m.f.Move(v, m.vec(a))
	return v
}

func (m *neon) three(op arm64.Three, a, b any) *arm64.V {
	v := m.f.Vec()
	m.f.Op3(op, v, m.vec(a), m.vec(b))
	return v
}

func (m *neon) two(op arm64.Two, a V) *arm64.V {
	v := m.f.Vec()
	m.f.Op2(op, v, m.vec(a))
	return v
}

var neonOperations = [...]arm64.Three{
	addF: arm64.FADD, subF: arm64.FSUB, mulF: arm64.FMUL, divF: arm64.FDIV,
	and: arm64.AND, or: arm64.ORR, addI: arm64.ADD, subI: arm64.SUB,
}

func (m *neon) op(o operation, a V, b any) V { return m.three(neonOperations[o], a, b) }
func (m *neon) sqrt(x V) V                   { return m.two(arm64.FSQRT, x) }
func (m *neon) fromInteger(k V) V            { return m.two(arm64.SCVTF, k) }
func (m *neon) scale(p, n V) V               { return nil }

// FMAX and FMIN give NaN when either operand is.

func (m *neon) maxOrNaN(a, b V) V     { return m.three(arm64.FMAX, a, b) }
func (m *neon) minOrNaN(a, b V) V     { return m.three(arm64.FMIN, a, b) }
func (m *neon) atLeast(x V, w word) V { return m.three(arm64.FMAX, x, w) }
func (m *neon) atMost(x V, w word) V  { return m.three(arm64.FMIN, x, w) }

func (m *neon) shift(kind shift, n int, a V) V {
	v := m.f.Vec()
	m.f.Shift([...]int{left: arm64.SHL, rightSigned: arm64.SSHR, right: arm64.USHR}[kind], n, v, m.vec(a))
	return v
}

// mulThenAdd sums in a copy of c, which p then stands for: FMLA adds to its output only.
func (m *neon) mulThenAdd(p, x V, c any) {
	var sum V
	if w, ok := c.(word); ok {
		sum = m.fill(w)
	} else {
		sum = m.copy(c)
	}
	m.into(arm64.FMLA, sum, p, x)
	m.vec(p).Become(m.vec(sum))
}

func (m *neon) into(op arm64.Three, s V, a, b any) { m.f.Op3(op, m.vec(s), m.vec(a), m.vec(b)) }

func (m *neon) addProduct(s, a V, b any)  { m.into(arm64.FMLA, s, a, b) }
func (m *neon) lessProduct(s, a V, b any) { m.into(arm64.FMLS, s, a, b) }
func (m *neon) addInto(s, a V)            { m.into(arm64.FADD, s, s, a) }
func (m *neon) add64Into(s, a V)          { m.into(arm64.FADD2D, s, s, a) }
func (m *neon) maxNumberInto(s, x V)      { m.into(arm64.FMAXNM, s, s, x) }
func (m *neon) maxUnsignedInto(s, a V)    { m.into(arm64.UMAX, s, s, a) }

func (m *neon) addSquares64(lowSum, highSum, x V) {
	low, high := m.two(arm64.FCVTL, x), m.two(arm64.FCVTL2, x)
	m.into(arm64.FMLA2D, lowSum, low, low)
	m.into(arm64.FMLA2D, highSum, high, high)
}

func (m *neon) compare(p predicate, a V, b any) mask {
	switch p {
	case equal:
		return m.three(arm64.FCMEQ, a, b)
	case greater:
		return m.three(arm64.FCMGT, a, b)
	case less:
		return m.three(arm64.FCMGT, b, a)
	case notLess:
		return m.two(arm64.MVN, m.three(arm64.FCMGT, b, a))
	case unordered: // of a with itself
		return m.two(arm64.MVN, m.three(arm64.FCMEQ, a, b))
	}
	panic("vec: unknown predicate")
}

func (m *neon) choose(k mask, yes, no V) V {
	v := m.copy(k)
	m.into(arm64.BSL, v, yes, no)
	return v
}

func (m *neon) used(v, other V) V {
	if !m.tail {
		return v
	}
	// As many ones as there are elements, and zeros after them.
	at, k := m.f.GP(), m.f.Vec()
	m.f.Go("MOVD $vecLanesNEON<>+16(SB), %v", at)
	m.f.Go("SUB %v<<2, %v", m.left, at)
	m.f.LDR(arm64.Mem{Base: at}, k, 16)
	return m.choose(k, v, other)
}
