// Command _asm writes the AVX2 loops of package jpeg.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	inverses()
	double()
	doubleMixed()
	ycc()
	Generate()
}

// words defines a constant that repeats the given words over 32 bytes.
func words(name string, values ...int16) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 16 {
		DATA(2*i, U16(uint16(values[i%len(values)])))
	}
	return m
}

// doubles does the same with 32-bit values.
func doubles(name string, value int32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(uint32(value)))
	}
	return m
}

// shuffle defines an order of bytes for both halves of a register. -1 makes a zero.
func shuffle(name string, order [16]int8) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 32 {
		DATA(i, U8(uint8(order[i%16])))
	}
	return m
}

func vectors(n int) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = YMM()
	}
	return v
}
