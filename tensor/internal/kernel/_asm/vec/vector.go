package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"log"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// gen writes the kernels of one level.
type gen struct {
	level  string
	lanes  int  // float32 in a vector
	wide   bool // AVX-512: mask registers, broadcasts from memory within an instruction
	consts *types.Scope

	table  Mem
	offset map[uint32]int // bits of a constant to its place in table
	order  []uint32
	masks  Mem // AVX2: 8 lanes of ones, then 8 of zeros

	tail mask // lanes in use, nil outside the tail
}

// V is a vector register.
type V = reg.VecVirtual

// word is four bytes in memory that an instruction reads into every lane.
type word struct{ mem Mem }

// mask selects lanes: a vector on AVX2, a mask register on AVX-512.
type mask Op

func newGen(level string, lanes int) *gen {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "../../poly.go", nil, 0)
	if err != nil {
		log.Fatal(err)
	}
	conf := types.Config{Importer: importer.Default()}
	pkg, err := conf.Check("kernel", fset, []*ast.File{file}, nil)
	if err != nil {
		log.Fatal(err)
	}
	g := &gen{level: level, lanes: lanes, wide: lanes == 16, consts: pkg.Scope(), offset: map[uint32]int{}}
	if !g.wide {
		g.masks = GLOBL("vecLanes"+level, 8|16) // RODATA|NOPTR
		for i := range 16 {
			lane := U32(0)
			if i < 8 {
				lane = 0xffffffff
			}
			DATA(4*i, lane)
		}
	}
	g.table = GLOBL("vecConst"+level, 8|16)
	return g
}

// bits is a constant given by its bit pattern.
func (g *gen) bits(b uint32) word {
	at, ok := g.offset[b]
	if !ok {
		at = 4 * len(g.order)
		g.offset[b] = at
		g.order = append(g.order, b)
	}
	return word{g.table.Offset(at)}
}

// writeConstants fills the table, the last global that was opened.
func (g *gen) writeConstants() {
	for i, b := range g.order {
		DATA(4*i, U32(b))
	}
}

func (g *gen) num(x float32) word { return g.bits(math.Float32bits(x)) }

// named is the constant of that name in poly.go, as a float32.
func (g *gen) named(name string) word { return g.num(g.float(name)) }

func (g *gen) negated(name string) word { return g.num(-g.float(name)) }

// integer is the integer constant of that name in poly.go.
func (g *gen) integer(name string) word {
	x, _ := constant.Uint64Val(g.lookup(name))
	return g.bits(uint32(x))
}

func (g *gen) float(name string) float32 {
	x, _ := constant.Float32Val(g.lookup(name))
	return x
}

func (g *gen) lookup(name string) constant.Value {
	c, ok := g.consts.Lookup(name).(*types.Const)
	if !ok {
		log.Fatalf("vec: poly.go has no constant %s", name)
	}
	return c.Val()
}

var (
	signBit  = uint32(1) << 31
	infinity = float32(math.Inf(1))
)

func (g *gen) reg() V {
	if g.wide {
		return ZMM()
	}
	return YMM()
}

// fill is a new register with the word in every lane.
func (g *gen) fill(w word) V {
	v := g.reg()
	VBROADCASTSS(w.mem, v)
	return v
}

func (g *gen) zero() V {
	v := g.reg()
	if g.wide {
		VPXORD(v, v, v)
	} else {
		VPXOR(v, v, v)
	}
	return v
}

func (g *gen) copy(a V) V {
	v := g.reg()
	VMOVAPS(a, v)
	return v
}

// arithmetic is an instruction and its form that broadcasts the first operand from memory.
type arithmetic struct{ plain, broadcast func(...Op) }

var (
	addps  = arithmetic{VADDPS, VADDPS_BCST}
	subps  = arithmetic{VSUBPS, VSUBPS_BCST}
	mulps  = arithmetic{VMULPS, VMULPS_BCST}
	divps  = arithmetic{VDIVPS, VDIVPS_BCST}
	maxps  = arithmetic{VMAXPS, VMAXPS_BCST}
	minps  = arithmetic{VMINPS, VMINPS_BCST}
	andps  = arithmetic{VANDPS, VANDPS_BCST}
	orps   = arithmetic{VORPS, VORPS_BCST}
	addd   = arithmetic{VPADDD, VPADDD_BCST}
	subd   = arithmetic{VPSUBD, VPSUBD_BCST}
	maxud  = arithmetic{VPMAXUD, VPMAXUD_BCST}
	fma213 = arithmetic{VFMADD213PS, VFMADD213PS_BCST}
	fma231 = arithmetic{VFMADD231PS, VFMADD231PS_BCST}
	fnm231 = arithmetic{VFNMADD231PS, VFNMADD231PS_BCST}
)

// emit writes the instruction; b is a V or a word.
func (g *gen) emit(op arithmetic, b any, rest ...Op) {
	switch b := b.(type) {
	case word:
		if g.wide {
			op.broadcast(append([]Op{b.mem}, rest...)...)
			return
		}
		op.plain(append([]Op{g.fill(b)}, rest...)...)
	case V:
		op.plain(append([]Op{b}, rest...)...)
	default:
		log.Fatalf("vec: operand of type %T", b)
	}
}

// op is a new register with a op b.
func (g *gen) op(op arithmetic, a V, b any) V {
	v := g.reg()
	g.emit(op, b, a, v)
	return v
}

func (g *gen) add(a V, b any) V { return g.op(addps, a, b) }
func (g *gen) sub(a V, b any) V { return g.op(subps, a, b) }
func (g *gen) mul(a V, b any) V { return g.op(mulps, a, b) }
func (g *gen) div(a V, b any) V { return g.op(divps, a, b) }
func (g *gen) and(a V, b any) V { return g.op(andps, a, b) }
func (g *gen) or(a V, b any) V  { return g.op(orps, a, b) }

func (g *gen) abs(x V) V { return g.and(x, g.bits(^signBit)) }

// atMost and atLeast clamp x, and keep a NaN: the instructions return the operand
// written first when either is NaN.
func (g *gen) atMost(x V, w word) V  { return g.op(minps, g.fill(w), x) }
func (g *gen) atLeast(x V, w word) V { return g.op(maxps, g.fill(w), x) }

func (g *gen) sqrt(x V) V {
	v := g.reg()
	VSQRTPS(x, v)
	return v
}

// The fused operations overwrite their first operand.

func (g *gen) mulThenAdd(p, x V, c any)  { g.emit(fma213, c, x, p) } // p = p*x + c
func (g *gen) addProduct(s, a V, b any)  { g.emit(fma231, b, a, s) } // s += a*b
func (g *gen) lessProduct(s, a V, b any) { g.emit(fnm231, b, a, s) } // s -= a*b
func (g *gen) maxInto(s V, a V)          { g.emit(maxps, a, s, s) }
func (g *gen) addInto(s V, a V)          { g.emit(addps, a, s, s) }
func (g *gen) maxUnsignedInto(s V, a V)  { g.emit(maxud, a, s, s) }
func (g *gen) shift(f func(...Op), n int, a V) V {
	v := g.reg()
	f(U8(uint8(n)), a, v)
	return v
}

// polynomial is the value at x of the polynomial of that degree whose coefficients are the
// constants name0, name1, ...
func (g *gen) polynomial(x V, name string, degree int) V {
	p := g.fill(g.named(fmt.Sprint(name, degree)))
	for i := degree - 1; i >= 0; i-- {
		g.mulThenAdd(p, x, g.named(fmt.Sprint(name, i)))
	}
	return p
}

// Predicates of comparisons.
const (
	equal     = 0
	less      = 1
	unordered = 3
	notLess   = 5 // true for NaN
	greater   = 14
)

// compare is the mask of the lanes in which a predicate b holds.
func (g *gen) compare(predicate uint8, a V, b any) mask {
	if g.wide {
		k := K()
		g.emit(arithmetic{
			func(o ...Op) { VCMPPS(append([]Op{U8(predicate)}, o...)...) },
			func(o ...Op) { VCMPPS_BCST(append([]Op{U8(predicate)}, o...)...) },
		}, b, a, k)
		return k
	}
	v := g.reg()
	if w, ok := b.(word); ok {
		b = g.fill(w)
	}
	VCMPPS(U8(predicate), b.(V), a, v)
	return v
}

// choose is yes in the lanes of m and no in the others.
func (g *gen) choose(m mask, yes, no V) V {
	v := g.reg()
	if g.wide {
		VBLENDMPS(yes, no, m, v)
	} else {
		VBLENDVPS(m, yes, no, v)
	}
	return v
}

// used is v with the lanes beyond the end of the slice replaced.
func (g *gen) used(v, other V) V {
	if g.tail == nil {
		return v
	}
	return g.choose(g.tail, v, other)
}
