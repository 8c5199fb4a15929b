package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// loop is a kernel over slices of one length.
type loop struct {
	name    string
	doc     string
	in, out []string      // slices read and written; a name in both is updated in place
	scalars []string      // float32 parameters, broadcast before the loop
	words   string        // parameter that points to words; "" for none
	vectors int           // vectors in a round of the main loop
	sums    int           // accumulators of each vector of a round
	start   func(i int) V // first value of accumulator i; zero when nil
	narrow  string        // slice of uint16: the length is whole vectors, and there is no tail
	body    func(a args) []V
	finish  func(sums []V)            // after the loop, with the accumulators of the first vector
	join    func(i int, into, from V) // adds accumulator i of another vector; addition when nil
	returns string
}

// args is what a kernel sees of one vector.
type args struct {
	in     []V
	scalar []V
	word   func(i int) word
	sum    []V
}

// emit writes the function: rounds of l.vectors vectors, then single vectors, then one
// masked vector. An element therefore meets the same instructions wherever it stands, and
// what is added to which accumulator depends on the length alone.
func (g *gen) emitLoop(l loop) {
	TEXT(l.name+g.level, NOSPLIT, l.signature())
	Pragma("noescape")
	Doc(l.name + g.level + " is " + l.doc)
	base := map[string]reg.GPVirtual{}
	for _, s := range append(append([]string{}, l.out...), l.in...) {
		if base[s] == nil {
			base[s] = GP64()
			Load(Param(s).Base(), base[s])
		}
	}
	a := args{}
	for _, s := range l.scalars {
		a.scalar = append(a.scalar, g.fill(word{address(Param(s))}))
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
			sums[i] = g.zero()
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
			return Mem{Base: base[s], Index: at, Scale: uint8(size), Disp: size * u * g.lanes}
		}
		for _, s := range l.in {
			v.in = append(v.in, g.load(where(s), s == l.narrow))
		}
		for i, r := range l.body(v) {
			g.store(r, where(l.out[i]), l.out[i] == l.narrow)
		}
	}
	if l.vectors > 1 {
		g.rounds("rounds", l.vectors, left, at, vector)
	}
	g.rounds("vectors", 1, left, at, vector)
	if l.narrow == "" {
		TESTQ(left, left)
		JZ(LabelRef("done"))
		g.setTail(left)
		vector(0)
		g.tail = nil
		Label("done")
	}
	if l.sums > 0 {
		for i := l.sums; i < len(sums); i++ {
			into, from := sums[i%l.sums], sums[i]
			if l.join != nil {
				l.join(i%l.sums, into, from)
			} else {
				g.addInto(into, from)
			}
		}
		l.finish(sums[:l.sums])
	}
	VZEROUPPER()
	RET()
}

// rounds writes a loop that does n vectors at a time while there are as many.
func (g *gen) rounds(label string, n int, left, at reg.GPVirtual, vector func(u int)) {
	SUBQ(U32(uint32(n*g.lanes)), left)
	JL(LabelRef(label + "_end"))
	Label(label)
	for u := range n {
		vector(u)
	}
	ADDQ(U32(uint32(n*g.lanes)), at)
	SUBQ(U32(uint32(n*g.lanes)), left)
	JGE(LabelRef(label))
	Label(label + "_end")
	ADDQ(U32(uint32(n*g.lanes)), left)
}

// setTail makes the mask of the first left lanes.
func (g *gen) setTail(left reg.GPVirtual) {
	if g.wide {
		lanes, k := GP64(), K()
		MOVQ(left, reg.RCX)
		MOVQ(U32(1), lanes)
		SHLQ(reg.CL, lanes)
		DECQ(lanes)
		KMOVW(lanes.As32(), k)
		g.tail = k
		return
	}
	p, v := GP64(), YMM()
	LEAQ(g.masks.Offset(32), p)
	NEGQ(left)
	VMOVDQU(Mem{Base: p, Index: left, Scale: 4}, v)
	g.tail = v
}

func (g *gen) load(m Mem, narrow bool) V {
	v := g.reg()
	switch {
	case narrow:
		VPMOVZXWD(m, v)
	case g.tail == nil:
		VMOVUPS(m, v)
	case g.wide:
		VMOVUPS_Z(m, g.tail, v)
	default:
		VMASKMOVPS(m, g.tail, v)
	}
	return v
}

func (g *gen) store(v V, m Mem, narrow bool) {
	switch {
	case narrow && g.wide:
		VPMOVDW(v, m)
	case narrow:
		packed := YMM()
		VPACKUSDW(v, v, packed)
		VPERMQ(U8(0x08), packed, packed)
		VMOVDQU(packed.AsX(), m)
	case g.tail == nil:
		VMOVUPS(v, m)
	case g.wide:
		VMOVUPS(v, g.tail, m)
	default:
		VMASKMOVPS(v, g.tail, m)
	}
}

func (l loop) signature() string {
	var params []string
	seen := map[string]bool{}
	for _, s := range append(append([]string{}, l.out...), l.in...) {
		if seen[s] {
			continue
		}
		seen[s] = true
		if s == l.narrow {
			params = append(params, s+" []uint16")
		} else {
			params = append(params, s+" []float32")
		}
	}
	for _, s := range l.scalars {
		params = append(params, s+" float32")
	}
	if l.words != "" {
		params = append(params, l.words+" *[9]float32")
	}
	return strings.TrimSpace(fmt.Sprintf("func(%s) %s", strings.Join(params, ", "), l.returns))
}

// address is the place of a parameter or result in the frame.
func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}
