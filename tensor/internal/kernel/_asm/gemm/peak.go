package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	"github.com/gobeit/gobeit/tensor/internal/kernel/_asm/arm64"
)

// peakSums is how many sums hide the latency of a multiply-add: up to 6 cycles for pairs of bfloat16, 2 begun in each. AVX2 has registers for
// 14 and a factor.
const peakSums = 14

// peak writes what measures how fast a core multiplies at most: sums that wait for nothing, in registers alone.
func (l level) peak() {
	name := "gemmPeak" + l.name
	TEXT(name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("%s does n > 0 rounds of %d multiplications of the level's tile function, of zeros.", name, peakSums))
	Load(Param("n"), k)
	for i := range peakSums + 1 {
		VXORPS(l.reg(i), l.reg(i), l.reg(i))
	}
	Label("round")
	for i := range peakSums {
		l.multiply(l.reg(0), l.reg(0), l.reg(i+1))
	}
	DECQ(k)
	JNZ(LabelRef("round"))
	VZEROUPPER()
	RET()
}

// neonPeak is peak for NEON.
func neonPeak(f *arm64.File) {
	fn := f.Func("gemmPeakNEON", fmt.Sprintf("gemmPeakNEON does n > 0 rounds of %d multiply-adds of zeros.", peakSums), "func(n int)")
	n := fn.Load("n")
	var v [peakSums + 1]*arm64.V
	for i := range v {
		v[i] = fn.Vec()
		fn.MOVI(v[i], 0)
	}
	fn.Loop()
	fn.Label("round")
	for _, sum := range v[1:] {
		fn.Op3(arm64.FMLA, sum, v[0], v[0])
	}
	fn.Go("SUBS $1, %v", n)
	fn.Go("BNE round")
	fn.EndLoop()
	fn.Go("RET")
}
