package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// AMX has eight tile registers of 16 rows of 64 bytes. Neither avo nor Go's assembler knows its instructions, so they are written as numbers. The
// opcodes are those of Intel's "Architecture Instruction Set Extensions Programming Reference", chapter "Intel AMX instruction set reference".
const (
	prefixNone = 0

	opTileConfig = 0x49 // LDTILECFG, TILERELEASE; with prefix F2 TILEZERO
	opTileMove   = 0x4b // TILELOADD, prefix F2; TILESTORED, prefix F3
	opTileDot    = 0x5c // TDPBF16PS, prefix F3
)

// vex encodes an instruction of the 0F38 map with W 0, of 128 bits, up to its opcode: reg, index and base are the numbers of the registers in the
// fields of those names, vvvv is the third register, 0 where there is none.
func vex(prefix, opcode, reg, index, base, vvvv int) []byte {
	inverted := func(x, to int) int { return (^x >> 3 & 1) << to }
	const map0F38 = 2
	return []byte{0xc4, byte(inverted(reg, 7) | inverted(index, 6) | inverted(base, 5) | map0F38), byte(^vvvv&15<<3 | prefix), byte(opcode)}
}

// tileMove encodes a load or store of a tile, whose rows are stride bytes apart from base+disp on.
func tileMove(prefix, tile, base, stride, disp int) []byte {
	const disp32, sib = 2 << 6, 4
	code := append(vex(prefix, opTileMove, tile, stride, base, 0), byte(disp32|tile&7<<3|sib), byte(stride&7<<3|base&7))
	return binary.LittleEndian.AppendUint32(code, uint32(disp))
}

// tileDot encodes the product of the tile x, of 16 rows of 16 pairs of bfloat16, and y, of 16 rows of such pairs for 16 columns, added to the
// float32 of the tile sum.
func tileDot(sum, x, y int) []byte {
	return append(vex(prefixF3, opTileDot, sum, 0, x, y), byte(0xc0|sum&7<<3|x&7))
}

func tileZero(tile int) []byte {
	return append(vex(prefixF2, opTileConfig, tile, 0, 0, 0), byte(0xc0|tile&7<<3))
}

// tileConfig encodes the load of a configuration from where base points, which is not SP or R12.
func tileConfig(base int) []byte {
	return append(vex(prefixNone, opTileConfig, 0, 0, base, 0), byte(2<<6|base&7), 0, 0, 0, 0)
}

func tileRelease() []byte { return append(vex(prefixNone, opTileConfig, 0, 0, 0, 0), 0xc0) }

// write writes an instruction; its text, operands in Go's order, stands before it.
func write(code []byte, text string, args ...any) {
	Comment(fmt.Sprintf(text, args...))
	for len(code) > 0 {
		opcode, op, n := "BYTE", Op(U8(code[0])), 1
		switch {
		case len(code) >= 4:
			opcode, op, n = "LONG", U32(binary.LittleEndian.Uint32(code)), 4
		case len(code) >= 2:
			opcode, op, n = "WORD", U16(binary.LittleEndian.Uint16(code)), 2
		}
		Instruction(&ir.Instruction{Opcode: opcode, Operands: []Op{op}})
		code = code[n:]
	}
}

func number(r GPPhysical) int { return int(r.PhysicalIndex()) }

func loadTile(base, stride GPPhysical, disp, tile int) {
	write(tileMove(prefixF2, tile, number(base), number(stride), disp), "TILELOADD %d(%s)(%s*1), TMM%d", disp, base.Asm(), stride.Asm(), tile)
}

func storeTile(tile int, base, stride GPPhysical, disp int) {
	write(tileMove(prefixF3, tile, number(base), number(stride), disp), "TILESTORED TMM%d, %d(%s)(%s*1)", tile, disp, base.Asm(), stride.Asm())
}

// dotTiles adds the product of tiles 4, 5 (rows) and 6, 7 (columns) to tiles 0 to 3.
func dotTiles() {
	for sum := range 4 {
		x, y := 4+sum/2, 6+sum%2
		write(tileDot(sum, x, y), "TDPBF16PS TMM%d, TMM%d, TMM%d", y, x, sum)
	}
}

const (
	side     = 32              // of the square of C in tiles 0 to 3
	rowBytes = 4 * side        // of a row of the square, or of B for a pair of k
	aStep    = 64              // what a row of A takes for a step
	logBStep = 11              // what B takes: 16 rows
	square   = side * rowBytes // of C
)

// tiles writes the tile function of the level and the measurement of its peak.
func tiles() {
	config := GLOBL("gemmTileConfig", RODATA|NOPTR)
	DATA(0, U64(1)) // palette 1, from row 0
	DATA(8, U64(0))
	for at := 16; at < 48; at += 8 { // bytes in a row, two for each of 16 tiles, of which there are 8
		DATA(at, U64([]uint64{0x0040004000400040, 0x0040004000400040, 0, 0}[at/8-2]))
	}
	for at := 48; at < 64; at += 8 { // rows, one byte for each
		DATA(at, U64([]uint64{0x1010101010101010, 0}[at/8-6]))
	}
	configure := func(base GPPhysical) {
		LEAQ(config, base)
		write(tileConfig(number(base)), "LDTILECFG (%s)", base.Asm())
	}
	tileFunction(configure)
	tilesPeak(configure)

	TEXT("xcr0", NOSPLIT, "func() uint32")
	Doc("xcr0 returns which states of the processor the system saves: the lower half of extended control register 0.")
	XORL(ECX, ECX)
	write([]byte{0x0f, 0x01, 0xd0}, "XGETBV")
	Store(EAX, ReturnIndex(0))
	RET()
}

// tileFunction makes squares of C below each other. A square is summed in tiles, stored to the stack, since C is not aligned and may end within it, and from there
// goes to C by vectors.
func tileFunction(configure func(GPPhysical)) {
	TEXT("gemmTileAMX", 0, "func(m, n, steps, pieces int, a, b, c []float32, cRow int, accumulate bool)")
	Pragma("noescape")
	Doc("gemmTileAMX is gemmTiles.tile. Tiles are configured and released within the call.")
	room := AllocLocal(square + 64)
	var (
		cStride, aStride, stride = RAX, RBX, RDX // in bytes; stride is that of rows of the square and of B
		left                     = RCX           // steps or rows to go
		aHigh, aHigh2, bHigh     = RSI, R8, RDI  // the first piece: rows 0…15 and 16…31 of A, and B
		aLow, aLow2, bLow        = R10, R11, R12 // the second piece
		sums, c, m, strip        = R9, R13, R14, R15
	)
	Load(Param("n"), R8)
	lowBits(R8, R10, K1, "tilesFirst")
	SUBQ(Imm(16), R8)
	lowBits(R8, R10, K2, "tilesSecond")
	Load(Param("m"), m)
	Load(Param("steps"), aStride)
	Load(Param("a").Base(), strip)
	Load(Param("c").Base(), c)
	Load(Param("cRow"), cStride)
	SHLQ(Imm(6), aStride) // a row of A is as long as its steps
	SHLQ(Imm(2), cStride)
	MOVQ(U32(rowBytes), stride)
	LEAQ(room.Offset(63), sums)
	ANDQ(I8(-64), sums)
	configure(RDI)

	Label("strip")
	for tile := range 4 {
		write(tileZero(tile), "TILEZERO TMM%d", tile)
	}
	Comment("The second piece of A follows the 32 rows of the first, that of B the steps of the first.")
	MOVQ(aStride, aLow2)
	SHLQ(Imm(4), aLow2) // 16 rows
	MOVQ(strip, aHigh)
	LEAQ(Mem{Base: aHigh, Index: aLow2, Scale: 1}, aHigh2)
	LEAQ(Mem{Base: aHigh, Index: aLow2, Scale: 2}, aLow)
	ADDQ(aLow, aLow2)
	Load(Param("b").Base(), bHigh)
	Load(Param("steps"), bLow)
	SHLQ(Imm(logBStep), bLow)
	ADDQ(bHigh, bLow)
	Load(Param("pieces"), left)
	CMPQ(left, Imm(2))
	Load(Param("steps"), left)
	JEQ(LabelRef("two"))

	loadA := func(top, bottom GPPhysical) {
		loadTile(top, aStride, 0, 4)
		loadTile(bottom, aStride, 0, 5)
	}
	loadB := func(base GPPhysical) {
		loadTile(base, stride, 0, 6)
		loadTile(base, stride, 64, 7)
	}
	Label("one")
	loadB(bHigh)
	loadA(aHigh, aHigh2)
	dotTiles()
	ADDQ(U32(1<<logBStep), bHigh)
	ADDQ(Imm(aStep), aHigh)
	ADDQ(Imm(aStep), aHigh2)
	DECQ(left)
	JNZ(LabelRef("one"))
	JMP(LabelRef("summed"))

	Label("two")
	loadB(bHigh)
	loadA(aLow, aLow2)
	dotTiles()
	loadA(aHigh, aHigh2)
	dotTiles()
	loadB(bLow)
	dotTiles()
	ADDQ(U32(1<<logBStep), bHigh)
	ADDQ(U32(1<<logBStep), bLow)
	for _, p := range []GPPhysical{aHigh, aHigh2, aLow, aLow2} {
		ADDQ(Imm(aStep), p)
	}
	DECQ(left)
	JNZ(LabelRef("two"))
	Label("summed")
	for tile := range 4 {
		storeTile(tile, sums, stride, tile/2*16*rowBytes+tile%2*64)
	}
	MOVQ(m, left)
	CMPQ(left, Imm(side))
	JLE(LabelRef("rows"))
	MOVQ(U32(side), left)
	Label("rows")
	MOVQ(sums, RSI)
	Load(Param("accumulate"), R8.As8())
	TESTB(R8.As8(), R8.As8())
	JZ(LabelRef("set"))
	for _, accumulate := range []bool{true, false} {
		label := map[bool]string{true: "add", false: "set"}[accumulate]
		Label(label)
		for v, mask := range []OpmaskPhysical{K1, K2} {
			VMOVUPS(Mem{Base: RSI, Disp: 64 * v}, zmm[v])
			if accumulate {
				VMOVUPS_Z(Mem{Base: c, Disp: 64 * v}, mask, zmm[2+v])
				VADDPS(zmm[2+v], zmm[v], zmm[v])
			}
			VMOVUPS(zmm[v], mask, Mem{Base: c, Disp: 64 * v})
		}
		ADDQ(stride, RSI)
		ADDQ(cStride, c)
		DECQ(left)
		JNZ(LabelRef(label))
		if accumulate {
			JMP(LabelRef("next"))
		}
	}
	Label("next")
	Load(Param("pieces"), R8)
	IMULQ(aStride, R8)
	SHLQ(Imm(5), R8) // 32 rows of each piece
	ADDQ(R8, strip)
	SUBQ(Imm(side), m)
	JG(LabelRef("strip"))
	write(tileRelease(), "TILERELEASE")
	VZEROUPPER()
	RET()
}

// tilesPeak multiplies tiles of zeros, with a sum in each of four, as the tile function does.
func tilesPeak(configure func(GPPhysical)) {
	TEXT("gemmPeakAMX", NOSPLIT, "func(n int)")
	Doc("gemmPeakAMX does n > 0 rounds of 4 multiplications of the level's tile function, of zeros.")
	Load(Param("n"), RCX)
	configure(RDI)
	for tile := range 8 {
		write(tileZero(tile), "TILEZERO TMM%d", tile)
	}
	Label("round")
	dotTiles()
	DECQ(RCX)
	JNZ(LabelRef("round"))
	write(tileRelease(), "TILERELEASE")
	RET()
}
