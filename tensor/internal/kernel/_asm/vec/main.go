// Command vec writes the slice kernels of the AVX2, AVX-512 and NEON levels.
//
// Each kernel is described once, over vectors of unknown width, in elementwise.go, curves.go and
// reductions.go. The description is made of the operations of a machine (vector.go); loop.go says
// what a kernel consists of. x86.go and neon.go are the machines, x86_loop.go and neon_loop.go wrap
// descriptions in loops over whole vectors and the tail. Constants come from poly.go of package kernel.
package main

import (
	"flag"
	"log"
)

func main() {
	name := flag.String("level", "", "avx2, avx512 or neon")
	flag.Parse()
	var m machine
	switch *name {
	case "avx2":
		m = newX86("AVX2", 8)
	case "avx512":
		m = newX86("AVX512", 16)
	case "neon":
		m = newNEON()
	default:
		log.Fatalf("vec: -level=%q, want avx2, avx512 or neon", *name)
	}
	g := newGen(m)
	g.elementwise()
	g.curves()
	g.gradients()
	g.reductions()
	g.layerNorm()
	g.bfloat16()
	g.write()
}
