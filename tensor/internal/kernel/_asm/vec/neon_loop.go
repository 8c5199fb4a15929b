package main

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor/internal/kernel/_asm/arm64"
)

// emitLoop writes the function. The tail is loaded and stored lane by lane, and computed as one vector
// whose other lanes begin as zeros.
func (m *neon) emitLoop(l loop) {
	f := m.file.Func(l.name+"NEON", l.name+"NEON is "+l.doc, l.signature())
	m.f = f
	base := map[string]arm64.GP{}
	for _, s := range l.slices() {
		base[s] = f.Load(s + "_base")
	}
	m.left = f.Load(l.in[0] + "_len")
	m.table = f.GP()
	f.Go("MOVD $vecConstNEON<>(SB), %v", m.table)
	a := args{}
	for _, s := range l.scalars {
		r, v := f.GP(), f.Vec()
		f.Go("MOVWU %s, %v", f.Arg(s), r)
		f.DUPGP(v, r)
		a.scalar = append(a.scalar, v)
	}
	if l.words != "" {
		p := f.Load(l.words)
		a.word = func(i int) word { return word{single{arm64.Mem{Base: p, Disp: 4 * i}}} }
	}
	sums := make([]V, l.vectors*l.sums)
	for i := range sums {
		if l.start != nil {
			sums[i] = l.start(i % l.sums)
		} else {
			sums[i] = m.zero()
		}
	}
	size := func(s string) int { // of a vector
		if s == l.narrow {
			return 8
		}
		return 16
	}
	vector := func(u int) {
		v := a
		if l.sums > 0 {
			v.sum = sums[u*l.sums : (u+1)*l.sums]
		}
		for _, s := range l.in {
			v.in = append(v.in, m.load(arm64.Mem{Base: base[s], Disp: u * size(s)}, size(s)))
		}
		for i, r := range l.body(v) {
			s := l.out[i]
			m.store(m.vec(r), arm64.Mem{Base: base[s], Disp: u * size(s)}, size(s))
		}
	}
	advance := func(n int) {
		for _, s := range l.slices() {
			f.Go("ADD $%d, %v", n*size(s), base[s])
		}
	}
	if l.vectors > 1 {
		m.rounds("rounds", l.vectors, vector, advance)
	}
	m.rounds("vectors", 1, vector, advance)
	if l.narrow == "" {
		f.Go("CBZ %v, done", m.left)
		m.tail, m.lane, m.labels = true, f.GP(), 0
		vector(0)
		m.tail = false
		f.Label("done")
	}
	if l.sums > 0 {
		l.joinSums(sums, m.addInto)
		l.finish(sums[:l.sums])
	}
	f.Go("RET")
}

// rounds writes a loop that does n vectors at a time while there are as many.
func (m *neon) rounds(label string, n int, vector func(u int), advance func(n int)) {
	f := m.f
	f.Go("SUBS $%d, %v", 4*n, m.left)
	f.Go("BLT %s_end", label)
	f.Loop()
	f.Label(label)
	for u := range n {
		vector(u)
	}
	advance(n)
	f.Go("SUBS $%d, %v", 4*n, m.left)
	f.Go("BGE %s", label)
	f.EndLoop()
	f.Label(label + "_end")
	f.Go("ADD $%d, %v", 4*n, m.left)
}

func (m *neon) load(at arm64.Mem, size int) V {
	v := m.f.Vec()
	if m.tail {
		m.f.LDR(at, v, 4)
		m.otherLanes(at, func(lane int) { m.f.LD1(m.lane, v, lane) })
		return v
	}
	m.f.LDR(at, v, size)
	if size == 8 {
		m.f.Op2(arm64.UXTL, v, v)
	}
	return v
}

func (m *neon) store(v *arm64.V, at arm64.Mem, size int) {
	if m.tail {
		m.f.STR(v, at, 4)
		m.otherLanes(at, func(lane int) { m.f.ST1(v, m.lane, lane) })
		return
	}
	if size == 8 {
		v = m.two(arm64.XTN, v)
	}
	m.f.STR(v, at, size)
}

// otherLanes does the second and third lane if the tail has them, with their address in m.lane.
func (m *neon) otherLanes(at arm64.Mem, do func(lane int)) {
	m.labels++
	end := fmt.Sprint("lanes", m.labels)
	m.f.Go("CMP $2, %v", m.left)
	m.f.Go("BLT %s", end)
	m.f.Go("ADD $4, %v, %v", at.Base, m.lane)
	do(1)
	m.f.Go("BEQ %s", end)
	m.f.Go("ADD $8, %v, %v", at.Base, m.lane)
	do(2)
	m.f.Label(end)
}

func (m *neon) give(i int, f fold, v V) {
	x, size := m.vec(v), 4
	switch f {
	case addition:
		x = m.two(arm64.FADDP2S, m.three(arm64.FADDP, x, x))
	case addition64:
		x, size = m.two(arm64.FADDP1D, x), 8
	case maximum:
		x = m.two(arm64.FMAXNMV, x)
	case maximumUnsigned:
		x = m.two(arm64.UMAXV, x)
	}
	name := "ret"
	if i > 0 {
		name = fmt.Sprint("ret", i)
	}
	// Through a general register: go vet checks what is moved to the frame by name.
	r := m.f.GP()
	m.f.MoveToGP(r, x, size)
	if size == 8 {
		m.f.Go("MOVD %v, %s", r, m.f.Arg(name))
	} else {
		m.f.Go("MOVW %v, %s", r, m.f.Arg(name))
	}
}
