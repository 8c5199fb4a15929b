package main

import (
	"encoding/binary"
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Neither avo nor Go's assembler knows AVX512-BF16, so its instructions are written as numbers.
// The opcodes are those of Intel's "Architecture Instruction Set Extensions Programming
// Reference", chapter "Instruction set reference".
const (
	prefixF3 = 2
	prefixF2 = 3

	opDot     = 0x52 // VDPBF16PS, prefix F3
	opConvert = 0x72 // VCVTNE2PS2BF16, prefix F2
)

// evex encodes an instruction of the 0F38 map with W 0 on three 512-bit registers:
// reg and rm are the fields of those names of the ModRM byte, vvvv is the third register.
func evex(prefix, opcode, reg, vvvv, rm int) [6]byte {
	inverted := func(x, bit, to int) int { return (^x >> bit & 1) << to }
	const map0F38, fixed, length512 = 2, 1 << 2, 2 << 5
	return [6]byte{
		0x62,
		byte(inverted(reg, 3, 7) | inverted(rm, 4, 6) | inverted(rm, 3, 5) | inverted(reg, 4, 4) | map0F38),
		byte(^vvvv&15<<3 | fixed | prefix),
		byte(length512 | inverted(vvvv, 4, 3)),
		byte(opcode),
		byte(0xc0 | reg&7<<3 | rm&7),
	}
}

// emit writes the six bytes of an instruction; its text, operands in Go's order, stands before them.
func emit(name string, prefix, opcode int, rm, vvvv, reg VecPhysical) {
	Comment(fmt.Sprintf("%s %s, %s, %s", name, rm.Asm(), vvvv.Asm(), reg.Asm()))
	code := evex(prefix, opcode, int(reg.PhysicalIndex()), int(vvvv.PhysicalIndex()), int(rm.PhysicalIndex()))
	Instruction(&ir.Instruction{Opcode: "LONG", Operands: []Op{U32(binary.LittleEndian.Uint32(code[:]))}})
	Instruction(&ir.Instruction{Opcode: "WORD", Operands: []Op{U16(binary.LittleEndian.Uint16(code[4:]))}})
}

// dot adds the products of 16 pairs of bfloat16 in x and y to the 16 float32 of sum, the
// product of the odd elements first.
func dot(x, y, sum VecPhysical) { emit("VDPBF16PS", prefixF3, opDot, x, y, sum) }

// convert rounds the float32 of low and high to the bfloat16 of the lower and the upper half of dst.
func convert(low, high, dst VecPhysical) {
	emit("VCVTNE2PS2BF16", prefixF2, opConvert, low, high, dst)
}
