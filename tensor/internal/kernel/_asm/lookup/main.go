// Command lookup writes the nearest-code kernels of the AVX2 and AVX-512 levels.
//
// Both are the same function at different sizes. The scores of a tile of rows against
// one panel of codes are summed in registers, from the panel's bias on: every step of
// the depth loads the values of the panel's codes and broadcasts one value of each row.
// Then the tile is compared with the best scores so far, lane by lane, before the next
// panel replaces it.
package main

import (
	"flag"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vectors is the width of a panel. Two keep the broadcasts at half of the multiply-adds.
const vectors = 2

// greater is the predicate GT_OQ: false when either side is not a number.
const greater = 0x1e

// level describes the kernel of one CPU level.
type level struct {
	name  string
	lanes int // float32 in a vector
	rows  int // height of a tile
	reg   []VecPhysical
	// index holds the indices of the codes of each vector of the panel: set from the
	// first index, step moves them to the next panel.
	index [vectors]Op
	set   func(first Register, lane Mem)
	step  func()
	// update replaces best and at in the lanes where score is greater.
	update func(score, best, at VecPhysical, index Op)
}

func main() {
	onARM := flag.Bool("neon", false, "write the NEON level instead (neon.go)")
	flag.Parse()
	if *onARM {
		neon()
		return
	}
	ConstraintExpr("amd64,!purego")
	avx2().tile()
	avx512().tile()
	Generate()
}

func avx2() *level {
	y := []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14, Y15}
	l := &level{name: "AVX2", lanes: 8, rows: 6, reg: y}
	mask := y[14] // between panels only: during one it is the broadcast
	// All registers are taken, so the indices lie on the stack.
	var local Mem
	l.set = func(first Register, lane Mem) {
		local = AllocLocal(4 * l.lanes * vectors)
		for v := range vectors {
			l.index[v] = local.Offset(4 * l.lanes * v)
		}
		VMOVD(first.(GPVirtual).As32(), X12)
		VPBROADCASTD(X12, y[12])
		for v := range vectors {
			VPADDD(lane.Offset(4*l.lanes*v), y[12], y[13])
			VMOVDQU(y[13], l.index[v])
		}
		// The distance to the next panel.
		MOVL(U32(l.lanes*vectors), first.(GPVirtual).As32())
		VMOVD(first.(GPVirtual).As32(), X15)
		VPBROADCASTD(X15, y[15])
	}
	l.step = func() {
		for v := range vectors {
			VPADDD(l.index[v], y[15], y[12])
			VMOVDQU(y[12], l.index[v])
		}
	}
	l.update = func(score, best, at VecPhysical, index Op) {
		VCMPPS(U8(greater), best, score, mask)
		VBLENDVPS(mask, score, best, best)
		VBLENDVPS(mask, index, at, at)
	}
	return l
}

func avx512() *level {
	z := []VecPhysical{Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}
	l := &level{name: "AVX512", lanes: 16, rows: 12, reg: z}
	width := z[29]
	l.index = [vectors]Op{z[27], z[28]}
	l.set = func(first Register, lane Mem) {
		VPBROADCASTD(first.(GPVirtual).As32(), z[24])
		for v := range vectors {
			VPADDD(lane.Offset(4*l.lanes*v), z[24], l.index[v])
		}
		MOVL(U32(l.lanes*vectors), first.(GPVirtual).As32())
		VPBROADCASTD(first.(GPVirtual).As32(), width)
	}
	l.step = func() {
		for v := range vectors {
			VPADDD(width, l.index[v], l.index[v])
		}
	}
	l.update = func(score, best, at VecPhysical, index Op) {
		VCMPPS(U8(greater), best, score, K1)
		VMOVAPS(score, K1, best)
		VMOVDQA32(index, K1, at)
	}
	return l
}

// score is the register of row r against vector v of the panel.
func (l *level) score(r, v int) VecPhysical { return l.reg[r*vectors+v] }

func (l *level) tile() {
	lane := GLOBL("lookupLane"+l.name, RODATA|NOPTR)
	for i := range vectors * l.lanes {
		DATA(4*i, U32(i))
	}
	TEXT("lookupTile"+l.name, NOSPLIT, "func(best []float32, at []int32, z, panels []float32, d, n, first int)")
	Doc(fmt.Sprintf("lookupTile%s is lookupTileGeneric for %d rows, %d lanes and panels of %d codes.",
		l.name, l.rows, l.lanes, vectors*l.lanes))
	Pragma("noescape")
	first := Load(Param("first"), GP64())
	best := Load(Param("best").Base(), GP64())
	at := Load(Param("at").Base(), GP64())
	rows := Load(Param("z").Base(), GP64())
	panel := Load(Param("panels").Base(), GP64())
	d := Load(Param("d"), GP64())
	n := Load(Param("n"), GP64())
	z, c := GP64(), GP64()
	l.set(first, lane)
	bytes := 4 * l.lanes
	free := l.reg[l.rows*vectors:]
	codes, broadcast := free[:vectors], free[vectors]

	Label("panel")
	Comment("The panel begins with the bias of each code.")
	for v := range vectors {
		VMOVUPS(Mem{Base: panel, Disp: v * bytes}, l.score(0, v))
	}
	for r := 1; r < l.rows; r++ {
		for v := range vectors {
			VMOVAPS(l.score(0, v), l.score(r, v))
		}
	}
	MOVQ(rows, z)
	MOVQ(d, c)

	Label("depth")
	ADDQ(Imm(uint64(vectors*bytes)), panel)
	for v := range vectors {
		VMOVUPS(Mem{Base: panel, Disp: v * bytes}, codes[v])
	}
	for r := range l.rows {
		VBROADCASTSS(Mem{Base: z, Disp: 4 * r}, broadcast)
		for v := range vectors {
			VFMADD231PS(codes[v], broadcast, l.score(r, v))
		}
	}
	ADDQ(Imm(uint64(4*l.rows)), z)
	DECQ(c)
	JNZ(LabelRef("depth"))
	ADDQ(Imm(uint64(vectors*bytes)), panel)

	Comment("Keep the best of each lane; codes rise, so the first of equals stays.")
	for r := range l.rows {
		bestR, atR := Mem{Base: best, Disp: r * bytes}, Mem{Base: at, Disp: r * bytes}
		VMOVUPS(bestR, codes[0])
		VMOVUPS(atR, codes[1])
		for v := range vectors {
			l.update(l.score(r, v), codes[0], codes[1], l.index[v])
		}
		VMOVUPS(codes[0], bestR)
		VMOVUPS(codes[1], atR)
	}
	l.step()
	DECQ(n)
	JNZ(LabelRef("panel"))
	VZEROUPPER()
	RET()
}
