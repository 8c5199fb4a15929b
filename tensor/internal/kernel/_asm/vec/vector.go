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
)

// gen writes the kernels of one level.
type gen struct {
	machine
	consts *types.Scope
}

// machine is what the description of a kernel is made of. V is a vector register; where an operand
// is any, it is a V or a word. Results are new registers unless the name says otherwise.
type machine interface {
	bits(b uint32) word // a constant given by its bit pattern
	fill(w word) V      // the word in every lane
	zero() V
	copy(a V) V

	op(o operation, a V, b any) V
	sqrt(x V) V
	shift(kind shift, n int, a V) V
	fromInteger(k V) V
	maxOrNaN(a, b V) V // NaN when either is
	minOrNaN(a, b V) V
	atMost(x V, w word) V // keeps a NaN
	atLeast(x V, w word) V

	// The fused operations and those named Into overwrite their first operand.
	mulThenAdd(p, x V, c any)  // p = p*x + c
	addProduct(s, a V, b any)  // s += a*b
	lessProduct(s, a V, b any) // s -= a*b
	addInto(s, a V)
	add64Into(s, a V) // of float64
	maxNumberInto(s, x V)
	maxUnsignedInto(s, a V)
	addSquares64(low, high, x V) // adds the squares of the lower and upper half of x, in float64

	scale(p, n V) V // p·2^n, or nil where no instruction does that

	compare(p predicate, a V, b any) mask
	choose(m mask, yes, no V) V
	used(v, other V) V // v with the lanes beyond the end of the slice replaced

	emitLoop(l loop)
	give(i int, f fold, v V) // result i is the lanes of v combined
	write()
}

// V is a vector register.
type V any

// word is four bytes in memory that an operation reads into every lane.
type word struct{ at any }

// mask selects lanes.
type mask any

type operation int

// Operations on float32, on bits, and on 32-bit integers.
const (
	addF operation = iota
	subF
	mulF
	divF
	and
	or
	addI
	subI
)

type shift int

// Shifts of 32-bit lanes: left, right with the sign, right with zeros.
const (
	left shift = iota
	rightSigned
	right
)

// predicate is a comparison, numbered as VCMPPS does.
type predicate uint8

const (
	equal     predicate = 0
	less      predicate = 1
	unordered predicate = 3
	notLess   predicate = 5 // true for NaN
	greater   predicate = 14
)

type fold int

// How the lanes of an accumulator are combined.
const (
	addition fold = iota
	addition64
	maximum
	maximumUnsigned
)

func newGen(m machine) *gen {
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
	return &gen{machine: m, consts: pkg.Scope()}
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

func (g *gen) add(a V, b any) V { return g.op(addF, a, b) }
func (g *gen) sub(a V, b any) V { return g.op(subF, a, b) }
func (g *gen) mul(a V, b any) V { return g.op(mulF, a, b) }
func (g *gen) div(a V, b any) V { return g.op(divF, a, b) }
func (g *gen) and(a V, b any) V { return g.op(and, a, b) }
func (g *gen) or(a V, b any) V  { return g.op(or, a, b) }
func (g *gen) abs(x V) V        { return g.and(x, g.bits(^signBit)) }

// polynomial is the value at x of the polynomial of that degree whose coefficients are the
// constants name0, name1, ...
func (g *gen) polynomial(x V, name string, degree int) V {
	p := g.fill(g.named(fmt.Sprint(name, degree)))
	for i := degree - 1; i >= 0; i-- {
		g.mulThenAdd(p, x, g.named(fmt.Sprint(name, i)))
	}
	return p
}
