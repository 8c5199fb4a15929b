package main

import (
	"fmt"

	"github.com/gobeit/gobeit/tensor/internal/kernel/_asm/arm64"
)

// The NEON tile. Go's arm64 code has no masks, so besides the tile heights every width has a loop of
// its own. Heights are powers of two; the caller puts others together.
const (
	neonCols = 12 // three vectors: 24 sums, 3 of B and 2 of A take 29 of 32 registers
	neonRows = 8
)

// neonTile holds the general registers of the tile function.
type neonTile struct {
	fn            *arm64.Func
	k, b, bStride arm64.GP
	aRow, aStride arm64.GP
	row           [neonRows]arm64.GP // the rows of A at this k
	c, cStride    arm64.GP
	cRow          arm64.GP // the row of C at hand
	third         arm64.GP // address of a third lane
	accumulate    arm64.GP

	// The tile at hand.
	name    string
	rows    int
	vectors int // of a row
	whole   int // vectors of four columns
	rest    int // columns beyond them
	sum     [][]*arm64.V
}

// neon writes the NEON level's file.
func neon() {
	f := new(arm64.File)
	fn := f.Func("gemmTileNEON", "gemmTileNEON is gemmTileGeneric for m 8, 4, 2 or 1 and n <= 12.",
		"func(m, n, k int, a []float32, aRow, aCol int, b []float32, bRow int, c []float32, cRow int, accumulate bool)")
	t := &neonTile{fn: fn}
	m, n := fn.Load("m"), fn.Load("n")
	t.k, t.b, t.bStride = fn.Load("k"), fn.Load("b_base"), fn.Load("bRow")
	t.row[0], t.aRow, t.aStride = fn.Load("a_base"), fn.Load("aRow"), fn.Load("aCol")
	t.c, t.cStride = fn.Load("c_base"), fn.Load("cRow")
	t.accumulate = fn.GP()
	fn.Go("MOVBU %s, %v", fn.Arg("accumulate"), t.accumulate)
	for i := range t.row[1:] {
		t.row[i+1] = fn.GP()
	}
	t.cRow, t.third = fn.GP(), fn.GP()
	for _, stride := range []arm64.GP{t.bStride, t.aRow, t.aStride, t.cStride} {
		fn.Go("LSL $2, %v, %v", stride, stride)
	}
	for _, rows := range []int{8, 4, 2} {
		fn.Go("CMP $%d, %v", rows, m)
		fn.Go("BEQ rows%d", rows)
	}
	for _, rows := range []int{1, 2, 4, 8} {
		fn.Label(fmt.Sprintf("rows%d", rows))
		for i := 1; i < rows; i++ {
			fn.Go("ADD %v, %v, %v", t.aRow, t.row[i-1], t.row[i])
		}
		for cols := neonCols; cols > 1; cols-- {
			fn.Go("CMP $%d, %v", cols, n)
			fn.Go("BEQ tile%dx%d", rows, cols)
		}
		for cols := 1; cols <= neonCols; cols++ {
			t.tile(rows, cols)
		}
	}
	neonPeak(f)
	f.Write()
}

// tile writes one height and width.
func (t *neonTile) tile(rows, cols int) {
	fn := t.fn
	t.rows, t.whole, t.rest = rows, cols/4, cols%4
	t.vectors = (cols + 3) / 4
	t.name = fmt.Sprintf("tile%dx%d", rows, cols)
	fn.Label(t.name)
	t.sum = make([][]*arm64.V, rows)
	for r := range t.sum {
		t.sum[r] = make([]*arm64.V, t.vectors)
		for v := range t.vectors {
			t.sum[r][v] = fn.Vec()
			fn.MOVI(t.sum[r][v], 0)
		}
	}
	if rows >= 4 {
		// Where the rows of A are neighbours, as in a packed panel, they are loaded together.
		fn.Go("CMP $4, %v", t.aRow)
		fn.Go("BNE %s_apart", t.name)
		t.loop(t.name+"_together", t.together)
		fn.Go("B %s_sums", t.name)
	}
	t.loop(t.name+"_apart", t.apart)
	fn.Label(t.name + "_sums")
	t.finish()
}

// loop does all steps of k; multiply adds the products of one step's row of B.
func (t *neonTile) loop(label string, multiply func(b []*arm64.V)) {
	fn := t.fn
	fn.Loop()
	fn.Label(label)
	b := make([]*arm64.V, t.vectors)
	t.eachVector(t.b, func(v int) *arm64.V { b[v] = fn.Vec(); return b[v] }, fn.LDR, fn.LD1)
	fn.Go("ADD %v, %v", t.bStride, t.b)
	multiply(b)
	fn.Go("SUBS $1, %v", t.k)
	fn.Go("BNE %s", label)
	fn.EndLoop()
}

// together loads the rows of A, which are neighbours.
func (t *neonTile) together(b []*arm64.V) {
	fn := t.fn
	a := make([]*arm64.V, t.rows/4)
	for i := range a {
		a[i] = fn.Vec()
		fn.LDR(arm64.Mem{Base: t.row[0], Disp: 16 * i}, a[i], 16)
	}
	fn.Go("ADD %v, %v", t.aStride, t.row[0])
	for r, sums := range t.sum {
		for v, s := range sums {
			fn.FMLALane(s, b[v], a[r/4], r%4)
		}
	}
}

// apart broadcasts one element of A after the other.
func (t *neonTile) apart(b []*arm64.V) {
	for r, sums := range t.sum {
		a := t.fn.Vec()
		t.fn.LD1R(t.row[r], a, t.aStride)
		for v, s := range sums {
			t.fn.Op3(arm64.FMLA, s, b[v], a)
		}
	}
}

// finish stores the sums, added to C with accumulate.
func (t *neonTile) finish() {
	fn := t.fn
	fn.Go("CBZ %v, %s_store", t.accumulate, t.name)
	t.eachRow(func(r int) {
		c := make([]*arm64.V, t.vectors)
		t.eachVector(t.cRow, func(v int) *arm64.V { c[v] = fn.Vec(); return c[v] }, fn.LDR, fn.LD1)
		for v, s := range t.sum[r] {
			fn.Op3(arm64.FADD, s, s, c[v])
		}
	})
	fn.Label(t.name + "_store")
	t.eachRow(func(r int) {
		t.eachVector(t.cRow, func(v int) *arm64.V { return t.sum[r][v] },
			func(m arm64.Mem, v *arm64.V, bytes int) { fn.STR(v, m, bytes) },
			func(at arm64.GP, v *arm64.V, lane int) { fn.ST1(v, at, lane) })
	})
	fn.Go("RET")
}

// eachRow does something for each row of C, at t.cRow.
func (t *neonTile) eachRow(do func(r int)) {
	t.fn.Go("MOVD %v, %v", t.c, t.cRow)
	for r := range t.rows {
		do(r)
		if r < t.rows-1 {
			t.fn.Go("ADD %v, %v", t.cStride, t.cRow)
		}
	}
}

// eachVector moves the vectors of a row of the tile, which are at that address: whole ones with 16
// bytes, the last with the bytes of its columns; three of them are two and one.
func (t *neonTile) eachVector(at arm64.GP, vector func(v int) *arm64.V,
	low func(m arm64.Mem, v *arm64.V, bytes int), lane func(at arm64.GP, v *arm64.V, lane int),
) {
	for v := range t.whole {
		low(arm64.Mem{Base: at, Disp: 16 * v}, vector(v), 16)
	}
	if t.rest == 0 {
		return
	}
	last := vector(t.whole)
	low(arm64.Mem{Base: at, Disp: 16 * t.whole}, last, 4*min(t.rest, 2))
	if t.rest == 3 {
		t.fn.Go("ADD $%d, %v, %v", 16*t.whole+8, at, t.third)
		lane(t.third, last, 2)
	}
}
