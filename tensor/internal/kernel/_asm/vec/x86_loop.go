package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// emitLoop writes the function. The tail is one masked vector.
func (m *x86) emitLoop(l loop) {
	TEXT(l.name+m.level, NOSPLIT, l.signature())
	Pragma("noescape")
	Doc(l.name + m.level + " is " + l.doc)
	base := map[string]reg.GPVirtual{}
	for _, s := range l.slices() {
		base[s] = GP64()
		Load(Param(s).Base(), base[s])
	}
	a := args{}
	for _, s := range l.scalars {
		a.scalar = append(a.scalar, m.fill(word{address(Param(s))}))
	}
	if l.words != "" {
		p := GP64()
		Load(Param(l.words), p)
		a.word = func(i int) word { return word{Mem{Base: p, Disp: 4 * i}} }
	}
	sums := make([]V, l.vectors*l.sums)
	for i := range sums {
		if l.start != nil {
			sums[i] = l.start(i % l.sums)
		} else {
			sums[i] = m.zero()
		}
	}
	left, at := GP64(), GP64()
	Load(Param(l.in[0]).Len(), left)
	XORQ(at, at)

	vector := func(u int) {
		v := a
		if l.sums > 0 {
			v.sum = sums[u*l.sums : (u+1)*l.sums]
		}
		where := func(s string) Mem {
			size := 4
			if s == l.narrow {
				size = 2
			}
			return Mem{Base: base[s], Index: at, Scale: uint8(size), Disp: size * u * m.lanes}
		}
		for _, s := range l.in {
			v.in = append(v.in, m.load(where(s), s == l.narrow))
		}
		for i, r := range l.body(v) {
			m.store(r, where(l.out[i]), l.out[i] == l.narrow)
		}
	}
	if l.vectors > 1 {
		m.rounds("rounds", l.vectors, left, at, vector)
	}
	m.rounds("vectors", 1, left, at, vector)
	if l.narrow == "" {
		TESTQ(left, left)
		JZ(LabelRef("done"))
		m.setTail(left)
		vector(0)
		m.tail = nil
		Label("done")
	}
	if l.sums > 0 {
		l.joinSums(sums, m.addInto)
		l.finish(sums[:l.sums])
	}
	VZEROUPPER()
	RET()
}

// rounds writes a loop that does n vectors at a time while there are as many.
func (m *x86) rounds(label string, n int, left, at reg.GPVirtual, vector func(u int)) {
	SUBQ(U32(uint32(n*m.lanes)), left)
	JL(LabelRef(label + "_end"))
	Label(label)
	for u := range n {
		vector(u)
	}
	ADDQ(U32(uint32(n*m.lanes)), at)
	SUBQ(U32(uint32(n*m.lanes)), left)
	JGE(LabelRef(label))
	Label(label + "_end")
	ADDQ(U32(uint32(n*m.lanes)), left)
}

// setTail makes the mask of the first left lanes.
func (m *x86) setTail(left reg.GPVirtual) {
	if m.wide {
		lanes, k := GP64(), K()
		MOVQ(left, reg.RCX)
		MOVQ(U32(1), lanes)
		SHLQ(reg.CL, lanes)
		DECQ(lanes)
		KMOVW(lanes.As32(), k)
		m.tail = k
		return
	}
	p, v := GP64(), YMM()
	LEAQ(m.masks.Offset(32), p)
	NEGQ(left)
	VMOVDQU(Mem{Base: p, Index: left, Scale: 4}, v)
	m.tail = v
}

func (m *x86) load(at Mem, narrow bool) V {
	v := m.reg()
	switch {
	case narrow:
		VPMOVZXWD(at, v)
	case m.tail == nil:
		VMOVUPS(at, v)
	case m.wide:
		VMOVUPS_Z(at, m.tail.(Op), v)
	default:
		VMASKMOVPS(at, m.tail.(Op), v)
	}
	return v
}

func (m *x86) store(r V, at Mem, narrow bool) {
	v := r.(vector)
	switch {
	case narrow && m.wide:
		VPMOVDW(v, at)
	case narrow:
		packed := YMM()
		VPACKUSDW(v, v, packed)
		VPERMQ(U8(0x08), packed, packed)
		VMOVDQU(packed.AsX(), at)
	case m.tail == nil:
		VMOVUPS(v, at)
	case m.wide:
		VMOVUPS(v, m.tail.(Op), at)
	default:
		VMASKMOVPS(v, m.tail.(Op), at)
	}
}

func (m *x86) give(i int, f fold, v V) {
	op := [...]func(...Op){addition: VADDPS, addition64: VADDPD, maximum: VMAXPS, maximumUnsigned: VPMAXUD}[f]
	if f == addition64 {
		VMOVSD(m.fold(v.(vector), 8, op), address(ReturnIndex(i)))
	} else {
		VMOVSS(m.fold(v.(vector), 4, op), address(ReturnIndex(i)))
	}
}

// fold leaves in lane 0 the combination of all lanes of v; width is the bytes of an element.
func (m *x86) fold(v vector, width int, op func(...Op)) reg.Register {
	y := v
	if m.wide {
		y = YMM()
		VEXTRACTF64X4(U8(1), v, y)
		op(v.AsY(), y, y)
	}
	x, s := XMM(), XMM()
	VEXTRACTF128(U8(1), y.AsY(), x)
	op(y.AsX(), x, x)
	VPSHUFD(U8(0x4e), x, s)
	op(s, x, x)
	if width == 4 {
		VPSHUFD(U8(0xb1), x, s)
		op(s, x, x)
	}
	return x
}

// address is the place of a parameter or result in the frame.
func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}
